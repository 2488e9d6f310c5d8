import { Compass } from "lucide-react";
import { ButtonLink } from "../design/button.tsx";
import { EmptyState } from "../design/states.tsx";
import { en } from "../texts/en.ts";
import { usePageTitle } from "./page-focus.ts";

/** An address that leads nowhere. */
export function NotFound() {
  usePageTitle(en.notFoundTitle);
  return (
    <div className="py-10">
      <h1 tabIndex={-1} className="sr-only">
        {en.notFoundTitle}
      </h1>
      <EmptyState
        icon={<Compass />}
        title={en.notFoundTitle}
        action={
          <ButtonLink to="/" look="primary">
            {en.goHome}
          </ButtonLink>
        }
      >
        {en.notFoundText}
      </EmptyState>
    </div>
  );
}
