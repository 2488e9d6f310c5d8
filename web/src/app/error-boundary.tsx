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
  { isBroken: boolean; isPartMissing: boolean }
> {
  override state = { isBroken: false, isPartMissing: false };

  static getDerivedStateFromError(thrown: unknown) {
    // The browsers' words for code or styles that did not come.
    return {
      isBroken: true,
      isPartMissing: thrown instanceof Error && /module|preload/i.test(thrown.message),
    };
  }

  override render() {
    if (!this.state.isBroken) return this.props.children;
    if (this.props.fallback !== undefined) return this.props.fallback;
    return (
      <div role="alert" className="mx-auto flex max-w-md flex-col items-center gap-4 px-6 py-24 text-center">
        <TriangleAlert aria-hidden="true" className="size-10 text-bad" />
        <h1 tabIndex={-1} className="text-xl font-semibold">
          {this.state.isPartMissing ? en.partMissingTitle : en.brokenTitle}
        </h1>
        <p className="text-ink-soft">{this.state.isPartMissing ? en.partMissingText : en.brokenText}</p>
        <Button look="primary" onClick={() => location.reload()}>
          {en.reload}
        </Button>
      </div>
    );
  }
}
