import { setTimeout as pause } from "node:timers/promises";
import type { Sql } from "postgres";

const firstPauseMs = 1;
const longestPauseMs = 50;
/** Longer than any backend is kept from its last step, short enough not to keep a server from ending. */
const limitMs = 10_000;

/**
 * Waits until everybody can see what these transactions wrote. A commit stands in the log, and is told from there, a moment before its
 * backend lets others see it; on a busy machine that is long enough to ask for its rows in vain. Resolves to false where that takes too
 * long. `xids` are the log's: a local database never counts beyond 32 bits.
 */
export async function untilVisible(sql: Sql, xids: readonly number[]): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    const [row] = await sql<{ are_visible: boolean }[]>`
      select coalesce(bool_and(pg_visible_in_snapshot(x.id::xid8, pg_current_snapshot())), true) as are_visible
      from unnest(${xids.map(String)}::text[]) x(id)`;
    if (row?.are_visible === true) return true;
    if (performance.now() >= deadline) return false;
    await pause(pauseMs);
  }
}
