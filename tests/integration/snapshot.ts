import type postgres from "postgres";
import { expect, vi } from "vitest";

/** Every table of the people and of the engine room: number of rows and a hash over their contents. */
export type Snapshot = Record<string, string>;

const ofTheClock = ["drains", "sweeps", "alerts", "tallies", "tally_steps", "webhook_verdicts"];

/**
 * Counts and hashes all tables of public and recorder, and what was pushed to watchers, in one moment. Left out is what
 * lives without anybody's doing: the places of the lanes, which a lingering drain renews, the time of a lane's last
 * wake-up, and what every sweep makes of the clock: alerts, and counts that are put together. Everything else stands still
 * while nothing is being recorded.
 */
export async function takeSnapshot(sql: postgres.Sql): Promise<Snapshot> {
  return await sql.begin("isolation level repeatable read read only", async (transaction) => {
    const tables = await transaction<{ name: string }[]>`
      select format('%I.%I', n.nspname, c.relname) as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where (n.nspname in ('public', 'recorder') and c.relkind = 'r' and not c.relname = any (${ofTheClock}))
        or (n.nspname = 'realtime' and c.relname = 'messages')
      order by 1`;
    const snapshot: Snapshot = {};
    for (const { name } of tables) {
      const row =
        name === "recorder.lanes" ? "to_jsonb(t) - 'last_wake_at' - 'last_wake_request_id'" : "to_jsonb(t)";
      const [found] = await transaction.unsafe<{ count: string; hash: string }[]>(
        `select count(*), md5(coalesce(string_agg(md5((${row})::text), '' order by md5((${row})::text)), '')) as hash from ${name} t`,
      );
      snapshot[name] = `${found?.count} rows, ${found?.hash}`;
    }
    return snapshot;
  });
}

/** Waits until no work is open and nothing changes any more; gives that state. */
export async function untilQuiet(sql: postgres.Sql): Promise<Snapshot> {
  let before: Snapshot = {};
  return await vi.waitFor(
    async () => {
      const [open] = await sql<{ count: number }[]>`
        select count(*)::int from recorder.jobs where state in ('queued', 'running')`;
      const now = await takeSnapshot(sql);
      const last = before;
      before = now;
      expect(open?.count).toBe(0);
      expect(now).toEqual(last);
      return now;
    },
    { timeout: 20_000, interval: 300 },
  );
}
