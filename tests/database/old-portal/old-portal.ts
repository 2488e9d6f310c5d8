/** The old portal's database in its two variants, what it holds, and the migrations that take it over. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type postgres from "postgres";
import { ensureAuthSchema } from "../../../local/gateway/auth-schema.ts";
import { applyFile, migrate } from "../../../local/postgres/migrate.ts";
import type { DatabaseUrls, Prepare } from "../../../local/postgres/testing.ts";
import { ensureRealtimeSchema } from "../../../local/realtime/schema.ts";
import { type Log, quietLog } from "../../../local/stack/part.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const MIGRATIONS = fileURLToPath(new URL("../../../supabase/migrations", import.meta.url));

/** What a hosted project holds before anybody's migrations. */
export const emptyProject: Prepare = async ({ adminUrl }) => {
  await ensureAuthSchema(adminUrl);
  await ensureRealtimeSchema(adminUrl);
};

const withFiles =
  (...files: string[]): Prepare =>
  async (urls) => {
    await emptyProject(urls);
    for (const file of files) await applyFile(urls.postgresUrl, join(HERE, file), quietLog);
  };

/** The main script alone. */
export const withoutRecordingColumns = withFiles("tables.sql", "rows.sql");
/** The later script, too, and rows in every status. */
export const withRecordingColumns = withFiles(
  "tables.sql",
  "recording-columns.sql",
  "rows.sql",
  "recording-rows.sql",
);

/** Applies our migrations, unchanged. Gives the files applied; throws what `migrate` throws. */
export const takeOver = ({ postgresUrl }: DatabaseUrls, log: Log = quietLog) =>
  migrate(postgresUrl, MIGRATIONS, log);

/** A row's id by the number that the fixtures give it. */
export const callId = (number: number) => `44000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

/** The active mentorship of the fixtures. */
export const ACTIVE_MENTORSHIP = "33000000-0000-4000-8000-000000000001";

export type Row = Record<string, unknown>;

/** Every old row, whole. */
export async function rowsOf(sql: postgres.Sql): Promise<{ people: Row[]; calls: Row[] }> {
  const [row] = await sql<{ people: Row[]; calls: Row[] }[]>`
    select
      (select jsonb_agg(p order by p ->> 'id') from (
        select to_jsonb(i) from public.instructors i
        union all select to_jsonb(e) from public.mentees e
        union all select to_jsonb(m) from public.mentorships m) as all_people (p)) as people,
      (select jsonb_agg(to_jsonb(c) order by c.id) from public.video_calls c) as calls`;
  if (!row) throw new Error("a select of two aggregates gives a row");
  return row;
}

/** What the old tables are made of, each with its oid: a thing that was dropped and made again has another one. */
export async function shapeOf(sql: postgres.Sql): Promise<{ columns: Row[]; things: Row[] }> {
  const columns = await sql<Row[]>`
    select c.table_name, c.column_name, c.udt_name, c.is_nullable, c.column_default
    from information_schema.columns c
    where c.table_schema = 'public' and c.table_name in ('instructors', 'mentees', 'mentorships', 'video_calls')
    order by 1, 2`;
  const things = await sql<Row[]>`
    with tables as (
      select unnest(array['instructors', 'mentees', 'mentorships', 'video_calls'])::regclass::oid as oid
    )
    select 'table' as kind, c.relname as name, c.oid, c.relowner::regrole::text as definition
      from tables t join pg_class c using (oid)
    union all
    select 'index', c.relname, c.oid, pg_get_indexdef(c.oid)
      from tables t join pg_index i on i.indrelid = t.oid join pg_class c on c.oid = i.indexrelid
    union all
    select 'constraint', n.conname, n.oid, pg_get_constraintdef(n.oid)
      from tables t join pg_constraint n on n.conrelid = t.oid
    union all
    select 'trigger', g.tgname, g.oid, g.tgenabled::text || ' ' || pg_get_triggerdef(g.oid)
      from tables t join pg_trigger g on g.tgrelid = t.oid where not g.tgisinternal
    union all
    select 'function', p.proname, p.oid, p.prosrc
      from pg_proc p where p.oid = 'public.update_video_calls_updated_at()'::regprocedure
    order by 1, 2`;
  return { columns: [...columns], things: [...things] };
}

/** Who may do what: one line per schema, table, column, sequence and function of ours and role of the API. */
export async function rightsIn(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ line: string }[]>`
    with ours as (
      select n.oid, n.nspname, n.nspacl from pg_namespace n
      where n.nspname in ('public', 'recorder', 'recorder_api', 'access')
    ), lists (thing, acl) as (
      select 'schema ' || nspname, nspacl from ours
      union all
      select 'table ' || c.oid::regclass, c.relacl from pg_class c join ours on ours.oid = c.relnamespace
        where c.relkind in ('r', 'v', 'm', 'p', 'S')
      union all
      select 'column ' || c.oid::regclass || '.' || a.attname, a.attacl
        from pg_class c join ours on ours.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
        where a.attnum > 0 and not a.attisdropped
      union all
      select 'function ' || p.oid::regprocedure, coalesce(p.proacl, acldefault('f', p.proowner))
        from pg_proc p join ours on ours.oid = p.pronamespace
    )
    select case when x.grantee = 0 then 'everybody' else x.grantee::regrole::text end
      || ': ' || x.privilege_type || ' on ' || l.thing as line
    from lists l cross join lateral aclexplode(l.acl) x
    where x.grantee = 0 or x.grantee::regrole::text in ('anon', 'authenticated', 'service_role')
    order by 1`;
  return rows.map((row) => row.line);
}
