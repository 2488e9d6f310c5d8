import type { Sql } from "postgres";

const dayMs = 24 * 60 * 60 * 1000;
/** Messages are kept for 72 hours; only whole days are dropped. */
const daysKept = 3;
/** Made ahead so that a server that is down over a weekend does not turn realtime.send into a warning. */
const daysAhead = 3;

/** The partition of one UTC day: its name in schema realtime, and the days it holds (from included, to not). */
export interface DayPartition {
  name: string;
  from: string;
  to: string;
}

/** The partition that holds the given moment. */
export function partitionOf(moment: Date): DayPartition {
  const from = moment.toISOString().slice(0, 10);
  const to = new Date(Date.parse(from) + dayMs).toISOString().slice(0, 10);
  return { name: `messages_${from.replaceAll("-", "_")}`, from, to };
}

/** Makes the partitions of realtime.messages from yesterday to three days ahead, and drops those older than 72 hours. */
export async function keepPartitions(sql: Sql, now: Date): Promise<void> {
  const rows = await sql<{ name: string }[]>`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'realtime.messages'::regclass`;
  const present = new Set(rows.map((row) => row.name));
  // From yesterday on: inserted_at is a timestamp without time zone, so a session west of UTC writes into it.
  for (let day = -1; day <= daysAhead; day++) {
    const { name, from, to } = partitionOf(new Date(now.getTime() + day * dayMs));
    if (present.has(name)) continue;
    await sql.unsafe(
      `create table if not exists realtime.${name} partition of realtime.messages for values from ('${from}') to ('${to}')`,
    );
  }
  const oldestKept = partitionOf(new Date(now.getTime() - daysKept * dayMs)).name;
  for (const name of present) {
    if (/^messages_\d{4}_\d{2}_\d{2}$/.test(name) && name < oldestKept) {
      await sql.unsafe(`drop table if exists realtime.${name}`);
    }
  }
}
