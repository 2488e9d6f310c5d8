import { setTimeout as pause } from "node:timers/promises";
import type { RealtimeChannel } from "@supabase/supabase-js";
import postgres from "postgres";
import { monotonicMs } from "./clock.ts";
import type { Figure } from "./figures.ts";
import type { Mentor } from "./mentor.ts";

const arrivalLimitMs = 10_000;
const warmUps = 5;
/** Pauses between two changes are spread over this, so that a poll in the path would show as latency. */
const spreadMs = 60;
const target = { of: "median", below: 50 } as const;

/** One committed change and when each kind of subscriber had it, on the machine's monotonic clock. */
interface Push {
  sentAt: number;
  answeredAt: number;
  broadcastAt: number;
  changeAt: number;
}

/**
 * Commits `count` changes of a call by SQL and as many through REST, and measures how long each takes to reach
 * subscribers of supabase-js: the private topic of the call (broadcast from the database) and postgres_changes.
 */
export async function measurePushes(
  mentor: Mentor,
  postgresUrl: string,
  count: number,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<Figure[]> {
  const callId = await mentor.joinCall();
  const arrivals = await subscribe(mentor, callId);
  const sql = postgres(postgresUrl, { max: 1, onnotice: () => undefined });
  try {
    let number = 0;
    const bySql = async (): Promise<[number, number]> => {
      number += 1;
      const session = await sql.reserve();
      try {
        await session`begin`;
        await session`update public.video_calls set participants = ${sql.json({ number })} where id = ${callId}`;
        const sentAt = monotonicMs();
        await session`commit`;
        return [sentAt, monotonicMs()];
      } finally {
        session.release();
      }
    };
    const byRest = async (): Promise<[number, number]> => {
      number += 1;
      const sentAt = monotonicMs();
      const { error } = await mentor.client
        .from("video_calls")
        .update({ recording_layout: number % 2 === 0 ? "floating" : "vertical" })
        .eq("id", callId);
      if (error !== null) throw new Error(`the change was refused: ${error.message}`);
      return [sentAt, monotonicMs()];
    };

    const measure = async (change: () => Promise<[number, number]>): Promise<Push[]> => {
      const pushes: Push[] = [];
      for (let round = -warmUps; round < count; round += 1) {
        await pause(5 + Math.random() * spreadMs, undefined, { signal });
        const arrival = arrivals.next();
        const [sentAt, answeredAt] = await change();
        const [broadcastAt, changeAt] = await arrival;
        if (round >= 0) pushes.push({ sentAt, answeredAt, broadcastAt, changeAt });
      }
      return pushes;
    };
    const direct = await measure(bySql);
    say(`latency: ${count} changes by SQL pushed`);
    const rest = await measure(byRest);
    say(`latency: ${count} changes through REST pushed`);
    if (arrivals.surplus() > 0) {
      throw new Error(`${arrivals.surplus()} pushes belong to no change: the pairing cannot be trusted`);
    }
    return figuresOf(direct, rest);
  } finally {
    await sql.end({ timeout: 1 });
    await arrivals.close();
    await mentor.endCall(callId);
  }
}

function figuresOf(direct: Push[], rest: Push[]): Figure[] {
  const commitNote = "from sending COMMIT on a direct connection: the change is not committed before that";
  const acknowledgedNote =
    "the same from the acknowledged COMMIT; below zero where the push overtook the answer";
  const restNote = "from sending the client's update: gateway, trigger and commit are in it";
  const kinds = [
    { kind: "broadcast from the database", at: (push: Push) => push.broadcastAt },
    { kind: "postgres_changes", at: (push: Push) => push.changeAt },
  ];
  return kinds.flatMap(({ kind, at }): Figure[] => [
    {
      name: `commit by SQL to subscriber, ${kind}`,
      unit: "ms",
      values: direct.map((push) => at(push) - push.sentAt),
      target,
      note: commitNote,
    },
    {
      name: `acknowledged commit to subscriber, ${kind}`,
      unit: "ms",
      values: direct.map((push) => at(push) - push.answeredAt),
      note: acknowledgedNote,
    },
    {
      name: `update by REST to subscriber, ${kind}`,
      unit: "ms",
      values: rest.map((push) => at(push) - push.sentAt),
      note: restNote,
    },
    {
      name: `answered update by REST to subscriber, ${kind}`,
      unit: "ms",
      values: rest.map((push) => at(push) - push.answeredAt),
      target,
      note: "from the REST answer; below zero where the push overtook it",
    },
  ]);
}

interface Arrivals {
  /** When the next broadcast and the next postgres_changes message come in; ask before the change is made. */
  next(): Promise<[broadcastAt: number, changeAt: number]>;
  /** Messages that came while none was awaited. */
  surplus(): number;
  close(): Promise<void>;
}

async function subscribe(mentor: Mentor, callId: string): Promise<Arrivals> {
  const broadcasts = arrivalQueue("broadcast");
  const changes = arrivalQueue("postgres_changes message");
  const { client } = mentor;
  const topic = client
    .channel(`call:${callId}`, { config: { private: true } })
    .on("broadcast", { event: "call.changed" }, () => broadcasts.arrived());
  const changed = Promise.withResolvers<void>();
  const table = client
    .channel("bench-changes")
    .on(
      "postgres_changes",
      { event: "UPDATE", schema: "public", table: "video_calls", filter: `id=eq.${callId}` },
      () => changes.arrived(),
    )
    // The channel is joined before the database subscription behind it is live.
    .on("system", {}, (message: { status?: string; message?: string }) => {
      if (message.status === "ok") changed.resolve();
      else changed.reject(new Error(`postgres_changes was refused: ${message.message}`));
    });
  await Promise.all([joined(topic), joined(table), within(changed.promise, "live postgres_changes")]);
  return {
    next: () => Promise.all([broadcasts.next(), changes.next()]),
    surplus: () => broadcasts.surplus() + changes.surplus(),
    async close() {
      await client.removeChannel(topic);
      await client.removeChannel(table);
    },
  };
}

function arrivalQueue(what: string): {
  arrived(): void;
  next(): Promise<number>;
  surplus(): number;
} {
  let waiting: PromiseWithResolvers<number> | undefined;
  let surplus = 0;
  return {
    arrived() {
      if (waiting === undefined) surplus += 1;
      waiting?.resolve(monotonicMs());
      waiting = undefined;
    },
    next() {
      waiting = Promise.withResolvers();
      return within(waiting.promise, what);
    },
    surplus: () => surplus,
  };
}

function joined(channel: RealtimeChannel): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.subscribe((state, error) => {
      if (state === "SUBSCRIBED") resolve();
      else if (state !== "CLOSED") reject(error ?? new Error(`subscribing ended in ${state}`));
    }, arrivalLimitMs);
  });
}

/** @throws Error when `promise` takes longer than anything that could be called a latency. */
async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`no ${what} within ${arrivalLimitMs / 1000} s`)),
    arrivalLimitMs,
  );
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
