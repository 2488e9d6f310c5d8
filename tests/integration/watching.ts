import type { RealtimeChannel, SupabaseClient } from "@supabase/supabase-js";
import { expect, vi } from "vitest";
import { z } from "zod";

const pushedCall = z.looseObject({
  recording_id: z.uuid().nullable(),
  recording_status: z.string().nullable(),
  recording_phase: z.string().nullable(),
  recording_queue_place: z.number().nullable(),
  recording_error: z.looseObject({ code: z.string() }).nullable(),
  version: z.number(),
});
/** A call as it was pushed to its private topic. */
export type PushedCall = z.output<typeof pushedCall>;

const changedCall = z.looseObject({
  id: z.uuid(),
  recording_status: z.string().nullable(),
  recording_version: z.number(),
});
/** A row of video_calls as Postgres Changes brought it. */
export type ChangedCall = z.output<typeof changedCall>;

/** One person's view of one call, by Realtime alone. Nothing is dropped or sorted. */
export interface CallView {
  broadcasts: PushedCall[];
  changes: ChangedCall[];
  /** Waits until this status (and phase) was pushed to the private topic; gives that message. */
  until(status: string, options?: { phase?: string; limitMs?: number }): Promise<PushedCall>;
}

/** Resolves once the subscription is live; rejects with Realtime's words when it is refused. */
export function subscribed(channel: RealtimeChannel): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.subscribe((state, error) => {
      if (state === "SUBSCRIBED") resolve();
      else if (state !== "CLOSED") reject(error ?? new Error(`the subscription ended in ${state}`));
    }, 30_000);
  });
}

/** Resolves when Realtime says that the changes of a channel flow; to be asked for before subscribing. */
export function changesFlow(channel: RealtimeChannel): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.on("system", {}, (message: { extension: string; status: string; message: string }) => {
      if (message.extension !== "postgres_changes") return;
      if (message.status === "ok") resolve();
      else reject(new Error(message.message));
    });
  });
}

/** Watches a call by its private topic and by the changes of its row; resolves once both are live. */
export async function watchCall(client: SupabaseClient, callId: string): Promise<CallView> {
  const broadcasts: PushedCall[] = [];
  const changes: ChangedCall[] = [];
  const topic = client
    .channel(`call:${callId}`, { config: { private: true } })
    .on(
      "broadcast",
      { event: "call.changed" },
      ({ payload }) => void broadcasts.push(pushedCall.parse(payload)),
    );
  const rows = client
    .channel(`rows of ${callId}`)
    .on(
      "postgres_changes",
      { event: "*", schema: "public", table: "video_calls", filter: `id=eq.${callId}` },
      (change) => {
        if (change.eventType !== "DELETE") changes.push(changedCall.parse(change.new));
      },
    );
  const flow = changesFlow(rows);
  await Promise.all([subscribed(topic), subscribed(rows), flow]);

  return {
    broadcasts,
    changes,
    async until(status, { phase, limitMs = 60_000 } = {}) {
      const fits = (call: PushedCall) =>
        call.recording_status === status && (phase === undefined || call.recording_phase === phase);
      return await vi.waitFor(
        () => {
          const found = broadcasts.find(fits);
          if (found !== undefined) return found;
          const seen = broadcasts.map((call) => call.recording_status);
          const error = broadcasts.at(-1)?.recording_error?.code;
          throw new Error(`waited for ${status}; seen: ${seen.join(", ") || "nothing"} ${error ?? ""}`);
        },
        { timeout: limitMs, interval: 10 },
      );
    },
  };
}

/** The statuses of a list of messages, each run of the same one once. */
export function statusesOf(seen: readonly { recording_status: string | null }[]): (string | null)[] {
  return seen.map((call) => call.recording_status).filter((status, index, all) => status !== all[index - 1]);
}

/** Asserts that versions never fall, and rise with every change of status. */
export function expectGrowingVersions(
  seen: readonly { recording_status: string | null; version: number }[],
): void {
  for (const [index, call] of seen.entries()) {
    const before = seen[index - 1];
    if (before === undefined) continue;
    if (before.recording_status === call.recording_status)
      expect(call.version).toBeGreaterThanOrEqual(before.version);
    else expect(call.version).toBeGreaterThan(before.version);
  }
}

/** Waits until something that is asked for again and again equals what is wanted; for what Realtime does not push. */
export async function eventually<Value>(
  ask: () => PromiseLike<Value> | Value,
  wanted: unknown,
  limitMs = 60_000,
): Promise<void> {
  await vi.waitFor(async () => expect(await ask()).toEqual(wanted), { timeout: limitMs, interval: 20 });
}
