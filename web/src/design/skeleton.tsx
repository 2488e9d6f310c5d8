import { classes } from "./class-names.ts";

/** Stands where something will be; as large as that. Hidden from screen readers: the region says that it loads. */
export function Skeleton({ className }: { className?: string }) {
  return (
    <div
      aria-hidden="true"
      className={classes("animate-breathe rounded-control bg-line/70 motion-reduce:animate-none", className)}
    />
  );
}

const rows = ["first", "second", "third", "fourth", "fifth", "sixth"];

/** Up to six of them, and the one sentence for who cannot see them. */
export function LoadingRows({
  label,
  count = 3,
  className = "h-20",
}: {
  label: string;
  count?: number;
  className?: string;
}) {
  return (
    <div role="status" className="space-y-3">
      <span className="sr-only">{label}</span>
      {rows.slice(0, count).map((row) => (
        <Skeleton key={row} className={classes("w-full rounded-card", className)} />
      ))}
    </div>
  );
}
