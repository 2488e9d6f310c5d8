import type { Sql } from "postgres";
import { z } from "zod";

const columnSchema = z.object({
  name: z.string(),
  /** pg_type.typname, for example `int4` or `_text`; the client converts values by it. */
  typeName: z.string(),
  /** The type as SQL writes it, schema-qualified and quoted. */
  cast: z.string(),
  /** pg_type.typtype: b(ase), c(omposite), d(omain), e(num), r(ange), m(ultirange). */
  kind: z.string(),
  isKey: z.boolean(),
  /** Those of the asked roles that may SELECT the column. */
  readers: z.array(z.string()),
});
export type Column = z.output<typeof columnSchema>;

const tableSchema = z.object({
  oid: z.number(),
  schema: z.string(),
  name: z.string(),
  hasRls: z.boolean(),
  columns: z.array(columnSchema),
});
/** What has to be known of a table to tell its changes; read at delivery, since grants and RLS may change any time. */
export type Table = z.output<typeof tableSchema>;

/** Reads the tables with these oids (those that no longer exist are absent), with what the given roles may read. */
export async function readTables(sql: Sql, oids: number[], roles: string[]): Promise<Map<number, Table>> {
  const rows = await sql`
    select c.oid::int8::float8 as oid, n.nspname as schema, c.relname as name, c.relrowsecurity as "hasRls", coalesce((
      select jsonb_agg(jsonb_build_object(
        'name', a.attname,
        'typeName', t.typname,
        'cast', format('%I.%I', tn.nspname, t.typname),
        'kind', t.typtype,
        'isKey', coalesce(a.attnum = any(k.conkey), false),
        'readers', (
          select coalesce(jsonb_agg(r.rolname), '[]') from pg_roles r
          where r.rolname = any(${roles}::text[]) and has_column_privilege(r.oid, c.oid, a.attnum, 'select')
        )
      ) order by a.attnum)
      from pg_attribute a
      join pg_type t on t.oid = a.atttypid
      join pg_namespace tn on tn.oid = t.typnamespace
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    ), '[]') as columns
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
    where c.oid = any(${oids}::oid[])`;
  return new Map(
    tableSchema
      .array()
      .parse([...rows])
      .map((table) => [table.oid, table]),
  );
}

/** The oids of the tables in publication supabase_realtime that a binding means; `*` stands for all. */
export async function publishedTables(sql: Sql, schema: string, table: string): Promise<number[]> {
  const rows = await sql<{ oid: number }[]>`
    select format('%I.%I', schemaname, tablename)::regclass::oid::int8::float8 as oid
    from pg_publication_tables
    where pubname = 'supabase_realtime'
      and (${schema} = '*' or schemaname = ${schema})
      and (${table} = '*' or tablename = ${table})`;
  return rows.map((row) => row.oid);
}

/** A name as SQL writes it. */
export function quoted(...names: string[]): string {
  return names.map((name) => `"${name.replaceAll('"', '""')}"`).join(".");
}
