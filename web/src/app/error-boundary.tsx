import { TriangleAlert } from "lucide-react";
import { Component, type ReactNode } from "react";
import { Button } from "../design/button.tsx";
import { en } from "../texts/en.ts";

/**
 * Catches what a page throws while it is drawn: one sentence, one button, and the rest of the portal stays. With `fallback`, for what a
 * page can do without, that is shown instead.
 */
export class ErrorBoundary extends Component<
  { children: ReactNode; fallback?: ReactNode },
  { isBroken: boolean }
> {
  override state = { isBroken: false };

  static getDerivedStateFromError() {
    return { isBroken: true };
  }

  override render() {
    if (!this.state.isBroken) return this.props.children;
    if (this.props.fallback !== undefined) return this.props.fallback;
    return (
      <div role="alert" className="mx-auto flex max-w-md flex-col items-center gap-4 px-6 py-24 text-center">
        <TriangleAlert aria-hidden="true" className="size-10 text-bad" />
        <h1 tabIndex={-1} className="text-xl font-semibold">
          {en.brokenTitle}
        </h1>
        <p className="text-ink-soft">{en.brokenText}</p>
        <Button look="primary" onClick={() => location.reload()}>
          {en.reload}
        </Button>
      </div>
    );
  }
}
