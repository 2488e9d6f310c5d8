import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "@supabase/supabase-js";
import postgres, { type Sql } from "postgres";
import { z } from "zod";
import { demoMentorships } from "../../demo/people.ts";
import type { Stack } from "../../local/stack/stack.ts";

/** Calls of one mentorship with a channel each, pressed by a server with the secret key. */
export interface Calls {
  sql: Sql;
  /** Writes a wish; gives when it left, ms since 1970, and when it was answered. */
  wish(callId: string, word: "starting" | "stopping"): Promise<{ wishedAt: number; answeredAt: number }>;
  /** Wishes for many calls, so many each second; `Infinity` is all at once. */
  wishAll(
    ids: readonly string[],
    word: "starting" | "stopping",
    perSecond: number,
  ): ReturnType<Calls["wish"]>[];
  make(count: number): Promise<string[]>;
  /** How many calls are in each status (and phase). */
  count(ids: readonly string[]): Promise<Map<string, number>>;
  /** Waits until so many of these calls are in one of the statuses. */
  until(ids: readonly string[], statuses: readonly string[], wanted: number, limitMs: number): Promise<void>;
  /** The steps of the recordings of these calls, by the database's clock, ms since 1970. */
  steps(ids: readonly string[]): Promise<Step[]>;
  end(): Promise<void>;
}

const step = z.object({
  call_id: z.uuid(),
  event: z.string(),
  at_ms: z.number(),
  resource_id: z.string().nullable(),
});
export type Step = z.output<typeof step>;

const lookEveryMs = 100;

export function openCalls(stack: Stack, signal: AbortSignal): Calls {
  const client = createClient(stack.url, stack.secretKey, {
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const sql = postgres(stack.databaseUrls.admin, { max: 2, onnotice: () => undefined });

  const calls: Calls = {
    sql,
    async wish(callId, word) {
      const wishedAt = Date.now();
      const { error } = await client.from("video_calls").update({ recording_status: word }).eq("id", callId);
      if (error !== null) throw new Error(`the wish ${word} was refused: ${error.message}`);
      return { wishedAt, answeredAt: Date.now() };
    },
    wishAll: (ids, word, perSecond) =>
      ids.map(async (id, index) => {
        await pause((index / perSecond) * 1000, undefined, { signal });
        return await calls.wish(id, word);
      }),
    async make(count) {
      const [mentorshipId] = await demoMentorships(stack, 1);
      const ids = Array.from({ length: count }, () => randomUUID());
      const rows = ids.map((id) => ({ id, channel: id.replaceAll("-", ""), mentorship_id: mentorshipId }));
      const { error } = await client.from("video_calls").insert(rows);
      if (error !== null) throw new Error(`calls could not be made: ${error.message}`);
      return ids;
    },
    async count(ids) {
      const rows = await sql<{ status: string | null; count: number }[]>`
        select recording_status as status, count(*)::int as count
        from public.video_calls where id = any (${[...ids]}) group by 1`;
      return new Map(rows.map(({ status, count }) => [status ?? "none", count]));
    },
    async until(ids, statuses, wanted, limitMs) {
      const limit = Date.now() + limitMs;
      for (;;) {
        const counts = await calls.count(ids);
        const there = statuses.reduce((sum, status) => sum + (counts.get(status) ?? 0), 0);
        if (there >= wanted) return;
        if (Date.now() > limit) {
          const seen = [...counts].map(([status, count]) => `${count} ${status}`).join(", ");
          throw new Error(`not ${wanted} calls came to ${statuses.join(" or ")}: ${seen}`);
        }
        await pause(lookEveryMs, undefined, { signal });
      }
    },
    async steps(ids) {
      const rows = await sql`
        select r.call_id, e.event, (extract(epoch from e.happened_at) * 1000)::float8 as at_ms, t.resource_id
        from public.recordings r join public.recording_events e on e.recording_id = r.id
        left join recorder.engine_tasks t on t.recording_id = r.id and t.attempt = r.attempt
        where r.call_id = any (${[...ids]}) order by e.happened_at, e.id`;
      return z.array(step).parse([...rows]);
    },
    end: () => sql.end({ timeout: 1 }),
  };
  return calls;
}
