import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, expect } from "vitest";
import { type CallRow, joinCall, type Pair, type Person, wish } from "../people.ts";
import { takeSnapshot, untilQuiet } from "../snapshot.ts";
import type { StackUnderTest } from "../stack-under-test.ts";
import { watchCall } from "../watching.ts";

/** What the refusals are tried on: one call that was recorded and one that was not, and a person who belongs to neither. */
export interface Stage {
  under: StackUnderTest;
  recorded: { pair: Pair; call: CallRow; recordingId: string };
  fresh: { pair: Pair; call: CallRow };
  stranger: Person;
}

export interface Answer {
  status: number;
  /** Parsed where it is JSON, else the text. */
  body: unknown;
}

/** Prepares the stage before the first test, until nothing moves any more. */
export function setStage(under: StackUnderTest): Stage {
  let prepared: Omit<Stage, "under"> | undefined;
  beforeAll(async () => {
    const { people, sql } = under;
    const [pair, other, stranger] = await Promise.all([people.pair(), people.pair(), people.stranger()]);
    const fresh = { pair: other, call: await joinCall(other.mentor, other.mentorshipId) };
    const call = await joinCall(pair.mentor, pair.mentorshipId);
    const view = await watchCall(pair.mentor.client, call.id);
    await wish(pair.mentor.client, call.id, "starting");
    const { recording_id: recordingId } = await view.until("recording");
    await pause(1_000);
    await wish(pair.mentor.client, call.id, "stopping");
    await view.until("recorded");
    await untilQuiet(sql);
    prepared = { recorded: { pair, call, recordingId: recordingId ?? "" }, fresh, stranger };
  }, 60_000);

  const now = () => {
    if (prepared === undefined) throw new Error("the stage is set before the first test");
    return prepared;
  };
  return {
    under,
    get recorded() {
      return now().recorded;
    },
    get fresh() {
      return now().fresh;
    },
    get stranger() {
      return now().stranger;
    },
  };
}

/** Runs something that must leave no trace in any table, and gives what it gave. */
export async function withoutTrace<Result>(
  { under }: Stage,
  act: () => PromiseLike<Result>,
): Promise<Result> {
  const before = await takeSnapshot(under.sql);
  const result = await act();
  expect(await takeSnapshot(under.sql)).toEqual(before);
  return result;
}

/** Sends one request as it stands to a path of the gateway, or to a whole address. */
export async function send(
  { under }: Stage,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Answer> {
  const url = path.startsWith("http") ? path : `${under.stack.url}${path}`;
  const answer = await fetch(url, { method, headers, body: body ?? null });
  const text = await answer.text();
  try {
    return { status: answer.status, body: JSON.parse(text) };
  } catch {
    return { status: answer.status, body: text };
  }
}

/** The same text with another letter or digit at one place; places below 0 count from the end. */
export function oneOff(text: string, place: number): string {
  const at = place < 0 ? text.length + place : place;
  const letter = text.at(at) ?? "";
  const other = /[0-9]/.test(letter) ? String((Number(letter) + 1) % 10) : letter === "a" ? "b" : "a";
  return text.slice(0, at) + other + text.slice(at + 1);
}
