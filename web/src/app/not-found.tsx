import { Compass } from "lucide-react";
import { ButtonLink } from "../design/button.tsx";
import { en } from "../texts/en.ts";
import { usePageTitle } from "./page-focus.ts";

/** An address that leads nowhere. */
export function NotFound() {
  usePageTitle(en.notFoundTitle);
  return (
    <div className="flex flex-col items-center gap-3 py-16 text-center">
      <Compass aria-hidden="true" className="size-10 text-ink-faint" />
      <h1 tabIndex={-1} className="text-xl font-semibold">
        {en.notFoundTitle}
      </h1>
      <p className="text-ink-soft">{en.notFoundText}</p>
      <ButtonLink to="/" look="primary">
        {en.goHome}
      </ButtonLink>
    </div>
  );
}
