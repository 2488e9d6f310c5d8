import type { ReactNode } from "react";
import { statusTexts } from "../texts/status.ts";
import { classes } from "./class-names.ts";

export type Tone = "neutral" | "accent" | "good" | "warn" | "bad" | "live";

const tones: Record<Tone, string> = {
  neutral: "bg-sunken text-ink-soft",
  accent: "bg-accent-soft text-accent-ink",
  good: "bg-good-soft text-good",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  live: "bg-bad-soft text-bad",
};

/** A short word on a soft ground. */
export function Pill({
  tone = "neutral",
  icon,
  children,
  className,
}: {
  tone?: Tone;
  icon?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <span
      className={classes(
        "inline-flex items-center gap-1.5 whitespace-nowrap rounded-full px-2.5 py-0.5 text-xs font-medium [&_svg]:size-3.5",
        tones[tone],
        className,
      )}
    >
      {icon}
      {children}
    </span>
  );
}

const toneOf: Record<string, Tone> = {
  starting: "accent",
  recording: "live",
  stopping: "warn",
  processing: "accent",
  recorded: "good",
  failed: "bad",
  expired: "neutral",
};

/** The status of a recording: a dot and the word, never the colour alone. */
export function StatusPill({ status }: { status: string }) {
  const isMoving =
    status === "starting" || status === "recording" || status === "stopping" || status === "processing";
  return (
    <Pill
      tone={toneOf[status] ?? "neutral"}
      icon={
        <span
          aria-hidden="true"
          className={classes(
            "size-2 rounded-full bg-current",
            isMoving && "animate-breathe motion-reduce:animate-none",
          )}
        />
      }
    >
      {statusTexts[status as keyof typeof statusTexts] ?? status}
    </Pill>
  );
}
