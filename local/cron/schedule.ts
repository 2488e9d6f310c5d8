/**
 * When a job is due, by the rules of pg_cron 1.6: the five fields of Vixie cron in GMT, or `N seconds`. Own code and
 * not a cron library, because each of those has rules of its own for stars with steps, for `7` and for day-of-month
 * beside day-of-week.
 */

/** A schedule, understood. */
export type Plan =
  | { kind: "seconds"; seconds: number }
  | { kind: "minutes"; fields: Fields }
  /** `@reboot`: once when the scheduler starts. */
  | { kind: "start" };

interface Fields {
  minute: ReadonlySet<number>;
  hour: ReadonlySet<number>;
  dayOfMonth: ReadonlySet<number>;
  lastDayOfMonth: boolean;
  month: ReadonlySet<number>;
  dayOfWeek: ReadonlySet<number>;
  /** One of the two day fields begins with a star: both must match. Otherwise either one is enough. */
  bothDays: boolean;
  /** Minute or hour begins with a star: such a job is not made up for after a jump of the clock. */
  wild: boolean;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const NICKNAMES: Record<string, string> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

export const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** @returns undefined when it is no schedule; such a job never runs. */
export function parseSchedule(schedule: string): Plan | undefined {
  const trimmed = schedule.trim();
  if (trimmed === "@reboot" || trimmed === "@restart") return { kind: "start" };
  const interval = /^(\d{1,9})\s*seconds?$/i.exec(trimmed);
  if (interval) {
    const seconds = Number(interval[1]);
    return seconds >= 1 && seconds <= 59 ? { kind: "seconds", seconds } : undefined;
  }
  const texts = (NICKNAMES[trimmed] ?? trimmed).split(/[ \t]+/);
  const [minuteText = "", hourText = "", domText = "", monthText = "", dowText = ""] = texts;
  if (texts.length !== 5) return undefined;
  const lastDayOfMonth = domText === "$";
  const minute = parseField(minuteText, 0, 59, []);
  const hour = parseField(hourText, 0, 23, []);
  const dayOfMonth = lastDayOfMonth ? new Set<number>() : parseField(domText, 1, 31, []);
  const month = parseField(monthText, 1, 12, MONTHS);
  const dayOfWeek = parseField(dowText, 0, 7, DAYS);
  if (!minute || !hour || !dayOfMonth || !month || !dayOfWeek) return undefined;
  if (dayOfWeek.has(7)) dayOfWeek.add(0);
  const star = (text: string) => text.startsWith("*");
  const bothDays = star(domText) || star(dowText);
  const wild = star(minuteText) || star(hourText);
  return {
    kind: "minutes",
    fields: { minute, hour, dayOfMonth, lastDayOfMonth, month, dayOfWeek, bothDays, wild },
  };
}

function parseField(text: string, low: number, high: number, names: string[]): Set<number> | undefined {
  const numbers = new Set<number>();
  for (const piece of text.toLowerCase().split(",")) {
    const [, fromText, toText, stepText] =
      /^(?:\*|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:\/(\d+))?$/.exec(piece) ?? [];
    const isStar = piece.startsWith("*");
    if (!isStar && fromText === undefined) return undefined;
    const from = isStar ? low : numberOf(fromText ?? "", low, names);
    const to = isStar ? high : toText === undefined ? from : numberOf(toText, low, names);
    const step = Number(stepText ?? 1);
    const stepAlone = stepText !== undefined && !isStar && toText === undefined;
    const inside = [from, to].every((number) => number >= low && number <= high);
    if (!inside || step < 1 || stepAlone) return undefined;
    for (let number = from; number <= to; number += step) numbers.add(number);
  }
  return numbers;
}

/** NaN for what is neither a number nor a name. */
function numberOf(word: string, low: number, names: string[]): number {
  const index = names.indexOf(word);
  if (index !== -1) return index + low;
  return /^\d+$/.test(word) ? Number(word) : Number.NaN;
}

/** Whether the minute that begins at this time (ms, UTC) is one of the schedule's. */
function isMinuteOf(fields: Fields, minuteStart: number): boolean {
  const time = new Date(minuteStart);
  const isLastDay = new Date(minuteStart + DAY_MS).getUTCDate() === 1;
  const dayOfMonth = fields.dayOfMonth.has(time.getUTCDate()) || (fields.lastDayOfMonth && isLastDay);
  const dayOfWeek = fields.dayOfWeek.has(time.getUTCDay());
  return (
    fields.minute.has(time.getUTCMinutes()) &&
    fields.hour.has(time.getUTCHours()) &&
    fields.month.has(time.getUTCMonth() + 1) &&
    (fields.bothDays ? dayOfMonth && dayOfWeek : dayOfMonth || dayOfWeek)
  );
}

/** The start of the minute that a time (ms) lies in. */
export const minuteOf = (time: number): number => time - (time % MINUTE_MS);

const SMALL_STEP = 5;
const LARGE_STEP = 180;

/**
 * How many runs became due since the last look, by Vixie cron's rules for jumps of the clock: up to 5 minutes are made
 * up for; up to 3 hours only for jobs at fixed times; beyond that, and backwards, nothing.
 *
 * @param lastMinute start of the minute looked at last, ms
 * @param now ms
 */
export function runsDue(plan: Plan, lastMinute: number, now: number): number {
  if (plan.kind !== "minutes") return 0;
  const { fields } = plan;
  const current = minuteOf(now);
  const passed = (current - lastMinute) / MINUTE_MS;
  if (passed <= 0) return 0;
  const everyMinute = passed <= SMALL_STEP || (passed <= LARGE_STEP && !fields.wild);
  if (!everyMinute) return isMinuteOf(fields, current) ? 1 : 0;
  return Array.from({ length: passed }, (_, index) => lastMinute + (index + 1) * MINUTE_MS).filter((minute) =>
    isMinuteOf(fields, minute),
  ).length;
}
