/** A bar that says how far something is. `percent` undefined: under way, nobody knows how far. */
export function ProgressBar({ percent, label }: { percent: number | undefined; label: string }) {
  const value = percent === undefined ? undefined : Math.min(100, Math.max(0, percent));
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value === undefined ? undefined : Math.round(value)}
      className="h-1.5 w-full overflow-hidden rounded-full bg-sunken"
    >
      <div
        className={
          value === undefined
            ? "h-full w-1/3 animate-breathe rounded-full bg-accent"
            : "h-full rounded-full bg-accent transition-[width] duration-500"
        }
        style={value === undefined ? undefined : { width: `${value}%` }}
      />
    </div>
  );
}
