import { readFile } from "node:fs/promises";
import postgres from "postgres";
import { keepPartitions } from "./partitions.ts";

/**
 * Creates the schema `realtime` (messages, send, broadcast_changes, topic, the two publications) and the partitions of
 * the coming days, or leaves them as they are. Takes the URL of the bootstrap superuser, supabase_admin.
 * Throws what Postgres answers, for example when a role is missing.
 */
export async function ensureRealtimeSchema(adminUrl: string): Promise<void> {
  const sql = postgres(adminUrl, { max: 1, onnotice: () => undefined });
  try {
    const definition = await readFile(new URL("./schema.sql", import.meta.url), "utf8");
    // Two starts at once must not race each other through "if not exists".
    await sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock(hashtext('local/realtime/schema'))`;
      await tx.unsafe(definition);
    });
    await keepPartitions(sql, new Date());
  } finally {
    await sql.end();
  }
}
