import { useEffect, useRef } from "react";
import { useLocation } from "react-router";
import { en } from "../texts/en.ts";

/** Sets the document's title; pages call it with what they show. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${en.product}`;
  }, [title]);
}

/**
 * Moves the focus to the h1 of a page that was just opened, so that a screen reader begins there. Not on the first page, where the
 * browser does the right thing, and not when only the query changes.
 */
export function useFocusOnNewPage(): void {
  const { pathname } = useLocation();
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    window.scrollTo(0, 0);
    // The page's code may still be on its way.
    let frames = 0;
    let frame = requestAnimationFrame(function look() {
      const title = document.querySelector<HTMLElement>("main h1");
      frames += 1;
      if (title !== null) title.focus({ preventScroll: true });
      else if (frames < 120) frame = requestAnimationFrame(look);
    });
    return () => cancelAnimationFrame(frame);
  }, [pathname]);
}
