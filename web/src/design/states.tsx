import { CloudOff, TriangleAlert } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import type { BackendError } from "../backend/errors.ts";
import { en } from "../texts/en.ts";
import { textOfError } from "../texts/errors.ts";
import { Button, ButtonLink } from "./button.tsx";
import { classes } from "./class-names.ts";

/** There is nothing (yet): what this is, and how something gets here. */
export function EmptyState({
  icon,
  title,
  children,
  action,
}: {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center gap-3 rounded-card border border-dashed border-line px-6 py-12 text-center">
      <div
        aria-hidden="true"
        className="flex size-12 items-center justify-center rounded-full bg-accent-soft text-accent-ink [&_svg]:size-6"
      >
        {icon}
      </div>
      <div className="space-y-1">
        <p className="font-semibold">{title}</p>
        {children !== undefined && <div className="max-w-md text-ink-soft">{children}</div>}
      </div>
      {action}
    </div>
  );
}

/** Something could not be shown: one sentence, one action. What only wanted for the network tries again by itself when that is back. */
export function ErrorState({
  error,
  onRetry,
}: {
  error: BackendError | undefined;
  onRetry?: (() => void) | undefined;
}) {
  const text = textOfError(error?.code ?? "unexpected_error");
  const isOffline = error?.code === "backend_unreachable";
  useEffect(() => {
    if (!isOffline || onRetry === undefined) return;
    window.addEventListener("online", onRetry);
    return () => window.removeEventListener("online", onRetry);
  }, [isOffline, onRetry]);
  return (
    <div
      role="alert"
      className="flex flex-col items-center gap-3 rounded-card border border-line bg-surface px-6 py-12 text-center"
    >
      <div
        aria-hidden="true"
        className="flex size-12 items-center justify-center rounded-full bg-bad-soft text-bad [&_svg]:size-6"
      >
        {isOffline ? <CloudOff /> : <TriangleAlert />}
      </div>
      <div className="space-y-1">
        <p className="font-semibold">{text.sentence}</p>
        <p className="max-w-md text-ink-soft">{text.action}</p>
      </div>
      {text.button === "home" ? (
        <ButtonLink to="/" look="primary">
          {en.goHome}
        </ButtonLink>
      ) : (
        onRetry !== undefined && (
          <Button look="primary" onClick={onRetry}>
            {en.tryAgain}
          </Button>
        )
      )}
    </div>
  );
}

const noticeTones = {
  neutral: "border-line bg-surface text-ink",
  accent: "border-transparent bg-accent-soft text-ink",
  warn: "border-transparent bg-warn-soft text-warn",
  bad: "border-transparent bg-bad-soft text-bad",
  good: "border-transparent bg-good-soft text-good",
};

/** A line that stays: a hint, a warning, a failure beside what works. `isUrgent` is announced at once. */
export function Notice({
  tone = "neutral",
  icon,
  action,
  isUrgent,
  children,
}: {
  tone?: keyof typeof noticeTones;
  icon?: ReactNode;
  action?: ReactNode;
  isUrgent?: boolean;
  children: ReactNode;
}) {
  return (
    <div
      role={isUrgent ? "alert" : "status"}
      className={classes(
        "flex flex-wrap items-center gap-x-3 gap-y-2 rounded-control border px-4 py-2.5 text-sm",
        noticeTones[tone],
      )}
    >
      {icon !== undefined && (
        <span aria-hidden="true" className="[&_svg]:size-4.5">
          {icon}
        </span>
      )}
      <div className="min-w-0 flex-1">{children}</div>
      {action}
    </div>
  );
}
