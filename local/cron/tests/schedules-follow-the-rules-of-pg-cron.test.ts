import { describe, expect, test } from "vitest";
import { MINUTE_MS, parseSchedule, runsDue } from "../schedule.ts";
import { type Job, MAX_RUNNING, Tasks } from "../tasks.ts";

const at = (text: string) => Date.parse(`${text}Z`);

/** Whether a schedule is due in the minute that begins then, GMT. */
const due = (schedule: string, minute: string) => {
  const plan = parseSchedule(schedule);
  if (!plan) throw new Error(`not understood: ${schedule}`);
  return runsDue(plan, at(minute) - MINUTE_MS, at(minute)) === 1;
};

describe("five fields, in GMT", () => {
  test.each([
    ["* * * * *", "2026-11-22T10:07:00", true],
    ["*/5 * * * *", "2026-11-22T10:05:00", true],
    ["*/5 * * * *", "2026-11-22T10:06:00", false],
    // A step longer than the hour leaves minute 0.
    ["*/90 * * * *", "2026-11-22T10:00:00", true],
    ["0,30 9-17/4 * * *", "2026-11-22T13:30:00", true],
    ["0,30 9-17/4 * * *", "2026-11-22T14:30:00", false],
    // 22 November 2026 is a Sunday: 0 and 7.
    ["0 0 * * 7", "2026-11-22T00:00:00", true],
    ["0 0 * * sun", "2026-11-22T00:00:00", true],
    ["0 0 * * Mon", "2026-11-22T00:00:00", false],
    ["0 0 1 jan *", "2026-01-01T00:00:00", true],
    // Day of month or day of week, unless one of them begins with a star.
    ["0 0 1 * 0", "2026-11-22T00:00:00", true],
    ["0 0 */2 * 0", "2026-11-22T00:00:00", false],
    ["0 0 */2 * 0", "2026-11-29T00:00:00", true],
    ["0 0 $ * *", "2026-02-28T00:00:00", true],
    ["0 0 $ * *", "2026-02-27T00:00:00", false],
    ["@daily", "2026-11-22T00:00:00", true],
    ["@hourly", "2026-11-22T00:01:00", false],
  ])("%s at %s: %s", (schedule, minute, expected) => {
    expect(due(schedule, minute)).toBe(expected);
  });

  test("a late look makes up for up to five minutes, beyond that only for jobs at fixed times, beyond three hours not at all", () => {
    const everyMinute = parseSchedule("* * * * *");
    const fixed = parseSchedule("3,9 10 * * *");
    if (!everyMinute || !fixed) throw new Error("not understood");
    const start = at("2026-11-22T10:00:00");
    expect(runsDue(everyMinute, start, start + 30_000)).toBe(0);
    expect(runsDue(everyMinute, start, start + 5 * MINUTE_MS)).toBe(5);
    expect(runsDue(everyMinute, start, start + 6 * MINUTE_MS)).toBe(1);
    expect(runsDue(fixed, start, start + 60 * MINUTE_MS)).toBe(2);
    expect(runsDue(fixed, start, start + 200 * MINUTE_MS)).toBe(0);
    expect(runsDue(everyMinute, start, start - 10 * MINUTE_MS)).toBe(0);
  });
});

const job = (id: string, schedule: string): Job => ({
  id,
  schedule,
  command: "select 1",
  database: "postgres",
  username: "postgres",
});

describe("what starts when", () => {
  test("an interval counts from the last start, and first from when the job was seen", () => {
    const tasks = new Tasks(0);
    tasks.update([job("1", "2 seconds")], 0);
    expect(tasks.start(1_999)).toEqual([]);
    expect(tasks.wait(1_500)).toBe(500);
    expect(tasks.start(2_000)).toHaveLength(1);
    tasks.finished("1");
    expect(tasks.start(3_999)).toEqual([]);
    expect(tasks.start(4_000)).toHaveLength(1);
  });

  test("a run that lasts longer than its interval is followed by one run, not by all that were missed", () => {
    const tasks = new Tasks(0);
    tasks.update([job("1", "1 seconds")], 0);
    expect(tasks.start(1_000)).toHaveLength(1);
    expect(tasks.start(9_000)).toEqual([]);
    tasks.finished("1");
    expect(tasks.start(9_001)).toHaveLength(1);
    tasks.finished("1");
    expect(tasks.start(9_002)).toEqual([]);
  });

  test("a five-field job makes up for every minute that it was still running", () => {
    const tasks = new Tasks(0);
    tasks.update([job("1", "* * * * *")], 0);
    expect(tasks.start(MINUTE_MS)).toHaveLength(1);
    expect(tasks.start(2 * MINUTE_MS)).toEqual([]);
    expect(tasks.start(3 * MINUTE_MS)).toEqual([]);
    for (const expected of [1, 1, 0]) {
      tasks.finished("1");
      expect(tasks.start(3 * MINUTE_MS + 1)).toHaveLength(expected);
    }
  });

  test("no more than eight run at once, the others wait for a place", () => {
    const tasks = new Tasks(0);
    tasks.update(
      Array.from({ length: 10 }, (_, index) => job(String(index), "1 seconds")),
      0,
    );
    expect(tasks.start(1_000)).toHaveLength(MAX_RUNNING);
    expect(tasks.start(1_100)).toEqual([]);
    tasks.finished("3");
    expect(tasks.start(1_200).map(({ id }) => id)).toEqual(["8"]);
  });

  test("@reboot runs once, when the scheduler starts", () => {
    const tasks = new Tasks(0);
    tasks.update([job("1", "@reboot")], 0);
    expect(tasks.start(1)).toHaveLength(1);
    tasks.finished("1");
    expect(tasks.start(10 * MINUTE_MS)).toEqual([]);
  });

  test("a running job that is gone is named, and one whose schedule makes no sense never runs", () => {
    const tasks = new Tasks(0);
    expect(
      tasks.update([job("1", "1 seconds"), job("2", "now and then")], 0).unreadable.map(({ id }) => id),
    ).toEqual(["2"]);
    expect(tasks.start(1_000).map(({ id }) => id)).toEqual(["1"]);
    expect(tasks.update([job("2", "now and then")], 1_100)).toEqual({ unreadable: [], gone: ["1"] });
  });
});
