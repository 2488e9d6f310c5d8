// Times, lengths and sizes in the words of the reader's language; one place, so that they look alike everywhere.

const locale = (): string => document.documentElement.lang || "en";

const cache = new Map<string, unknown>();
function once<Made>(name: string, make: () => Made): Made {
  const key = `${locale()} ${name}`;
  const known = cache.get(key) as Made | undefined;
  if (known !== undefined) return known;
  const made = make();
  cache.set(key, made);
  return made;
}

/** A length on a clock: 3:07, 1:02:45. `ms` is rounded down to seconds. */
export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A length in words: "52 min", "1 hr, 2 min", "34 sec". Seconds that are not whole do not count, as on a clock. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const unit = (value: number, name: "hour" | "minute" | "second") =>
    once(
      `duration ${name}`,
      () => new Intl.NumberFormat(locale(), { style: "unit", unit: name, unitDisplay: "short" }),
    ).format(value);
  if (seconds < 60) return unit(seconds, "second");
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return unit(minutes, "minute");
  const rest = minutes % 60;
  const hours = unit(Math.floor(minutes / 60), "hour");
  return rest === 0 ? hours : `${hours} ${unit(rest, "minute")}`;
}

/** A size with the store's own thousands: 702 MB, 1.4 GB. */
export function formatBytes(bytes: number): string {
  const steps = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
  let value = Math.max(0, bytes);
  let step = 0;
  while (value >= 999.5 && step < steps.length - 1) {
    value /= 1000;
    step += 1;
  }
  const unit = steps[step] ?? "byte";
  const digits = step > 0 && value < 10 ? 1 : 0;
  const format = once(
    `bytes ${unit} ${digits}`,
    () =>
      new Intl.NumberFormat(locale(), {
        style: "unit",
        unit,
        unitDisplay: "short",
        maximumFractionDigits: digits,
      }),
  );
  return format.format(value);
}

/** "22 Nov 2026, 14:33" in the reader's zone. `at` is ISO 8601. */
export function formatDateTime(at: string): string {
  return once(
    "date time",
    () => new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }),
  ).format(new Date(at));
}

/** "22 Nov 2026". */
export function formatDate(at: string): string {
  return once("date", () => new Intl.DateTimeFormat(locale(), { dateStyle: "medium" })).format(new Date(at));
}

const spans: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["week", 7 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** "3 days ago", "in 2 hours", "now": how far `at` (ISO 8601) is from `now` (ms). */
export function formatRelative(at: string, now: number = Date.now()): string {
  const seconds = (Date.parse(at) - now) / 1000;
  const format = once("relative", () => new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }));
  const [unit, length] = spans.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return unit === "second" ? format.format(0, "second") : format.format(Math.round(seconds / length), unit);
}
