import type { RealtimeChannel, SupabaseClient } from "@supabase/supabase-js";
import { z } from "zod";

const pushedCall = z.object({
  recording_id: z.uuid().nullable(),
  recording_status: z.string().nullable(),
  recording_error: z.object({ code: z.string(), message: z.string() }).nullable(),
  version: z.number(),
});

/** A status as it reached the subscriber. */
export interface PushedStatus {
  status: string;
  /** performance.now() of its arrival. */
  arrivedAt: number;
  recordingId: string | undefined;
  error: { code: string; message: string } | undefined;
  version: number;
}

/** Follows one call by Realtime only; nothing is polled. */
export interface CallWatch {
  /** Every status in the order of its arrival, each once. */
  seen: PushedStatus[];
  /** Waits until one of these statuses has been pushed; fails when the call's recording fails instead. */
  until(statuses: string[], limitMs: number): Promise<PushedStatus>;
  close(): Promise<void>;
}

/** Subscribes to the private topic of a call and resolves once the subscription is live. */
export async function watchCall(
  client: SupabaseClient,
  callId: string,
  onStatus: (status: string) => void,
): Promise<CallWatch> {
  const seen: PushedStatus[] = [];
  const listeners = new Set<() => void>();
  const channel: RealtimeChannel = client.channel(`call:${callId}`, { config: { private: true } });
  channel.on("broadcast", { event: "call.changed" }, (message) => {
    const arrivedAt = performance.now();
    const call = pushedCall.parse(message.payload);
    const last = seen.at(-1);
    // A change that is older than what we have, or does not concern the status, is not news.
    if (call.recording_status === null || call.version <= (last?.version ?? 0)) return;
    seen.push({
      status: call.recording_status,
      arrivedAt,
      recordingId: call.recording_id ?? undefined,
      error: call.recording_error ?? undefined,
      version: call.version,
    });
    onStatus(call.recording_status);
    for (const listener of listeners) listener();
  });
  await new Promise<void>((resolve, reject) => {
    channel.subscribe((state, error) => {
      if (state === "SUBSCRIBED") resolve();
      else if (state !== "CLOSED") reject(error ?? new Error(`subscribing to the call ended in ${state}`));
    }, 10_000);
  });

  return {
    seen,
    until: (statuses, limitMs) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = seen.find(({ status }) => statuses.includes(status));
          const failed = seen.find(({ status }) => status === "failed");
          if (found === undefined && failed === undefined) return;
          stop();
          if (found !== undefined) resolve(found);
          else reject(new Error(`the recording failed: ${failed?.error?.code} (${failed?.error?.message})`));
        };
        const timer = setTimeout(() => {
          stop();
          reject(
            new Error(
              `no ${statuses.join(" or ")} within ${limitMs / 1000} s; seen: ${seen.map(({ status }) => status).join(", ") || "nothing"}`,
            ),
          );
        }, limitMs);
        const stop = () => {
          clearTimeout(timer);
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
    async close() {
      await client.removeChannel(channel);
    },
  };
}
