import postgres, { type Sql } from "postgres";

/** Name and value of a setting. */
export type Setting = [name: string, value: string];

/**
 * What the server itself says of the settings that our own role overrides (statement_timeout, for one): a replication
 * session is the only one that roles' settings do not apply to.
 *
 * @param url as the superuser
 * @throws the driver's error.
 */
export async function serverSettings(url: string, sql: Sql): Promise<Map<string, string>> {
  const own = await sql`
    select distinct split_part(entry, '=', 1) as name
    from pg_db_role_setting, unnest(setconfig) as entry
    where setrole = (select oid from pg_roles where rolname = session_user)`;
  if (own.length === 0) return new Map();
  const plain = postgres(url, { max: 1, fetch_types: false, connection: { replication: "true" } as object });
  try {
    const values = new Map<string, string>();
    for (const { name } of own) {
      // A replication session knows no SQL but SHOW, and that only in capitals.
      const [row] = await plain.unsafe(`SHOW "${String(name).replaceAll('"', '""')}"`).simple();
      values.set(String(name), String(Object.values(row ?? {})[0] ?? ""));
    }
    return values;
  } finally {
    await plain.end();
  }
}

/**
 * The settings a role would begin its session with in this database, where they differ from ours: its own, the
 * database's, and the server's for those that only we have.
 *
 * @param server from `serverSettings`
 */
export async function loginSettings(
  sql: Sql,
  username: string,
  server: Map<string, string>,
): Promise<Setting[]> {
  const rows = await sql`
    select distinct on (name) name, value
    from pg_db_role_setting,
      unnest(setconfig) as entry,
      lateral (select split_part(entry, '=', 1) as name, substr(entry, strpos(entry, '=') + 1) as value) as setting
    where setrole in (0, (select oid from pg_roles where rolname = ${username}))
      and setdatabase in (0, (select oid from pg_database where datname = current_database()))
    order by name, setrole = 0, setdatabase = 0`;
  return [...new Map([...server, ...rows.map(({ name, value }): Setting => [String(name), String(value)])])];
}
