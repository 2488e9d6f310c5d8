import type { HTMLAttributes, ReactNode } from "react";
import { classes } from "./class-names.ts";

/** A rounded ground for things that belong together; `accent` for what is going on right now. */
export function Card({
  tone = "plain",
  className,
  ...rest
}: HTMLAttributes<HTMLDivElement> & { tone?: "plain" | "accent" }) {
  const ground = tone === "plain" ? "border-line bg-surface" : "border-accent/40 bg-accent-soft";
  return <div {...rest} className={classes("rounded-card border shadow-card", ground, className)} />;
}

/** A part of a page with a heading of its own. */
export function Section({
  title,
  id,
  action,
  children,
}: {
  title: string;
  id: string;
  action?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section aria-labelledby={id} className="space-y-3">
      <div className="flex items-center justify-between gap-3">
        <h2 id={id} className="text-base font-semibold">
          {title}
        </h2>
        {action}
      </div>
      {children}
    </section>
  );
}

/** Top of a page: its h1, which is focused when the page is opened, a line below it, and what one can do. */
export function PageTitle({
  title,
  children,
  action,
}: {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <header className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
      <div className="min-w-0 space-y-1">
        <h1 tabIndex={-1} className="text-2xl font-semibold tracking-tight">
          {title}
        </h1>
        {children !== undefined && <div className="text-ink-soft">{children}</div>}
      </div>
      {action}
    </header>
  );
}
