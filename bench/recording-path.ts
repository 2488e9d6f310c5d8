import { setTimeout as pause } from "node:timers/promises";
import postgres, { type Sql } from "postgres";
import { z } from "zod";
import { watchCall } from "../demo/watch-call.ts";
import { monotonicMs, monotonicOf } from "./clock.ts";
import type { Mentor } from "./mentor.ts";

/** Longest waits, ms; far above what is seen. */
const startLimitMs = 30_000;
const finishLimitMs = 60_000;
const idleLimitMs = 30_000;
/** pg_net rests 1 s after each pass: only after that the next wake-up leaves without waiting. */
const restMs = 1_200;
/** Spread over this, so that no rhythm of the system (the sweep every 10 s, a poll) meets all recordings alike. */
const spreadMs = 500;
/** The shortest time a recording is left running: enough to hold media. */
const recordMs = 500;

/** When the steps of one recording that the client and the database know happened, on the machine's monotonic clock. */
export interface RecordingTimes {
  wishedAt: number;
  wishAnsweredAt: number;
  /** The database's own begin of the transaction with the wish. */
  transactionBeganAt: number;
  /** Each status as it reached the subscriber. */
  recordingAt: number;
  stopWishedAt: number;
  stopAnsweredAt: number;
  stoppingAt: number;
  processingAt: number;
  recordedAt: number;
  /** End of what belongs to this recording. */
  doneAt: number;
}

/** Records `count` calls, one after the other, each on an idle stack, as a mentor's browser does. */
export async function recordOneByOne(
  mentor: Mentor,
  adminUrl: string,
  count: number,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<RecordingTimes[]> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => undefined });
  try {
    const all: RecordingTimes[] = [];
    for (let number = 1; number <= count; number += 1) {
      all.push(await recordOnce(mentor, sql, signal));
      say(`latency: recording ${number} of ${count}`);
    }
    return all;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function recordOnce(mentor: Mentor, sql: Sql, signal: AbortSignal): Promise<RecordingTimes> {
  const callId = await mentor.joinCall();
  const watch = await watchCall(mentor.client, callId, () => undefined);
  const arrivalOf = (status: string): number => {
    const seen = watch.seen.find((pushed) => pushed.status === status);
    if (seen === undefined) throw new Error(`the status ${status} was never pushed`);
    return monotonicOf(seen.arrivedAt);
  };
  try {
    await untilIdle(sql, signal);
    const wishedAt = monotonicMs();
    await mentor.wish(callId, "starting");
    const wishAnsweredAt = monotonicMs();
    await watch.until(["recording"], startLimitMs);
    await pause(recordMs + Math.random() * spreadMs, undefined, { signal });
    const stopWishedAt = monotonicMs();
    await mentor.wish(callId, "stopping");
    const stopAnsweredAt = monotonicMs();
    await watch.until(["recorded"], finishLimitMs);
    const transactionBeganAt = await beginOfWish(sql, callId);
    return {
      wishedAt,
      wishAnsweredAt,
      transactionBeganAt,
      recordingAt: arrivalOf("recording"),
      stopWishedAt,
      stopAnsweredAt,
      stoppingAt: arrivalOf("stopping"),
      processingAt: arrivalOf("processing"),
      recordedAt: arrivalOf("recorded"),
      doneAt: monotonicMs(),
    };
  } finally {
    await watch.close();
    await mentor.endCall(callId);
  }
}

const idleRow = z.object({ is_idle: z.boolean(), last_wake: z.string() });

/**
 * Waits until nothing is under way (no drain, no job that is due, no wake-up) and goes on like that until pg_net has
 * rested too.
 */
async function untilIdle(sql: Sql, signal: AbortSignal): Promise<void> {
  const look = async () => {
    const [row] = await sql`
      select max(last_wake_at)::text as last_wake,
        not exists (select from recorder.drains where leased_until > now())
        and not exists (select from recorder.jobs where state = 'running' or state = 'queued' and run_at <= now())
        and not exists (select from net.http_request_queue) as is_idle
      from recorder.lanes`;
    return idleRow.parse(row);
  };
  const limit = monotonicMs() + idleLimitMs;
  while (monotonicMs() < limit) {
    const before = await look();
    if (before.is_idle) {
      await pause(restMs + Math.random() * spreadMs, undefined, { signal });
      const after = await look();
      if (after.is_idle && after.last_wake === before.last_wake) return;
    }
    await pause(100, undefined, { signal });
  }
  throw new Error(`the stack was not idle within ${idleLimitMs / 1000} s`);
}

const beginRow = z.object({ ago_ms: z.number() });

/** When the transaction with the last start wish of a call began, brought over from the database's clock. */
async function beginOfWish(sql: Sql, callId: string): Promise<number> {
  // The shortest of some round trips leaves the least doubt about the difference of the two clocks.
  let best = { tookMs: Number.POSITIVE_INFINITY, beganAt: Number.NaN };
  for (let round = 0; round < 5; round += 1) {
    const askedAt = monotonicMs();
    const [row] = await sql`
      select (extract(epoch from clock_timestamp() - max(requested_at)) * 1000)::float8 as ago_ms
      from public.recordings where call_id = ${callId}`;
    const tookMs = monotonicMs() - askedAt;
    if (tookMs >= best.tookMs) continue;
    best = { tookMs, beganAt: askedAt + tookMs / 2 - beginRow.parse(row).ago_ms };
  }
  return best.beganAt;
}
