import { readFile } from "node:fs/promises";
import { withSession } from "./session.ts";

/**
 * Makes a database what a hosted project is before its first migration (bootstrap.sql). May be repeated.
 *
 * @param adminUrl the database, as supabase_admin.
 */
export async function bootstrapDatabase(adminUrl: string): Promise<void> {
  const statements = await readFile(new URL("bootstrap.sql", import.meta.url), "utf8");
  await withSession(adminUrl, (sql) => sql.unsafe(statements));
}
