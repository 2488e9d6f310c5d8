import { useEffect, useRef } from "react";
import { useLocation } from "react-router";
import { holdFocus } from "../design/hold-focus.ts";
import { en } from "../texts/en.ts";

/** Sets the document's title; pages call it with what they show. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${en.product}`;
  }, [title]);
}

/**
 * Moves the focus to the h1 of a page that was just opened, so that a screen reader begins there; also to one that takes the place of what
 * stood there while the page was loading, until the person does something. Not on the first page, where the browser does the right thing,
 * and not when only the query changes.
 */
export function useFocusOnNewPage(): void {
  const { pathname } = useLocation();
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    window.scrollTo(0, 0);
    // What was pressed may still be there, in the header.
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    return holdFocus(() => document.querySelector<HTMLElement>("main h1"));
  }, [pathname]);
}
