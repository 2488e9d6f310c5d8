import type { Sql } from "postgres";
import { reasonOf } from "../stack/part.ts";
import { type Condition, conditionSql, FilterError, parseFilter, type TypedCondition } from "./filters.ts";
import { publishedTables, readTables, type Table } from "./tables.ts";

/** Which changes one binding of a channel wants. */
export interface Wanted {
  event: "*" | "INSERT" | "UPDATE" | "DELETE";
  schema: string;
  table: string;
  conditions: TypedCondition[];
  /** Columns to tell beside the primary key; null is all of them. */
  select: string[] | null;
}

/** The subscription cannot exist with these parameters; trying again would not help. The message is the client's. */
export class SubscriptionRefused extends Error {}

const mostInValues = 100;

/** Reads a binding as the client sent it. Throws SubscriptionRefused when it cannot mean anything. */
export function parseBinding(binding: Record<string, unknown>): Wanted {
  const { schema, table, filter, select } = binding;
  const named = (value: unknown) => typeof value === "string";
  const understood =
    (named(schema) || named(table)) &&
    (schema === undefined || named(schema)) &&
    (table === undefined || named(table)) &&
    (filter === undefined || (named(filter) && named(schema) && named(table)));
  if (!understood) {
    throw new SubscriptionRefused(
      `No subscription params provided. Please provide at least a \`schema\` or \`table\` to subscribe to: ${JSON.stringify(binding)}`,
    );
  }
  if (typeof select === "string") {
    throw new SubscriptionRefused(
      'Error parsing `select` params: expected a list of column name strings, e.g. select: ["col1", "col2"]',
    );
  }
  const wanted: Wanted = {
    event: eventOf(binding.event),
    schema: typeof schema === "string" ? schema : "public",
    table: typeof table === "string" ? table : "*",
    conditions: [],
    select: selectOf(select),
  };
  if (wanted.select !== null && (wanted.schema === "*" || wanted.table === "*")) {
    throw new SubscriptionRefused(
      "Column selection is not supported for wildcard subscriptions. Provide an explicit schema and table name.",
    );
  }
  try {
    wanted.conditions = typeof filter === "string" ? parseFilter(filter) : [];
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw new SubscriptionRefused(`Error parsing \`filter\` params: ${error.message}`);
  }
  return wanted;
}

/**
 * Checks a binding against the database for a role: the table is published, the role may read the columns it names,
 * and the values can be read as the columns' types. Gives the binding with its conditions typed.
 * Throws SubscriptionRefused, or the connection's error when the database cannot be asked.
 */
export async function checkBinding(sql: Sql, wanted: Wanted, role: string): Promise<Wanted> {
  const oids = await publishedTables(sql, wanted.schema, wanted.table);
  if (oids.length === 0) {
    throw new SubscriptionRefused(
      `Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given connect parameters: [${told(wanted)}]`,
    );
  }
  const refuse = (reason: string): never => {
    throw new SubscriptionRefused(
      `Unable to subscribe to changes with given parameters. An exception happened so please check your connect parameters: [${told(wanted)}]. Exception: ERROR P0001 (raise_exception) ${reason}`,
    );
  };
  const [known] = await sql`select from pg_roles where rolname = ${role}`;
  if (known === undefined) refuse(`role "${role}" does not exist`);
  const tables = [...(await readTables(sql, oids, [role])).values()];
  const conditions: TypedCondition[] = [];
  for (const table of tables) {
    const readable = (name: string) => columnOf(table, name)?.readers.includes(role) ?? false;
    for (const condition of wanted.conditions) {
      if (!readable(condition.column)) refuse(`invalid column for filter ${condition.column}`);
      conditions.push(await typed(sql, table, condition).catch((error: unknown) => refuse(reasonOf(error))));
    }
    for (const name of wanted.select ?? []) if (!readable(name)) refuse(`invalid column for select ${name}`);
  }
  // With several tables a column may have several types, so their values are asked for each time.
  return { ...wanted, conditions: tables.length === 1 ? conditions : wanted.conditions };
}

async function typed(sql: Sql, table: Table, condition: Condition): Promise<TypedCondition> {
  const column = columnOf(table, condition.column);
  if (column === undefined) throw new FilterError(`failed to lookup type for column ${condition.column}`);
  const { operator, value } = condition;
  if (operator === "is" && value !== "null" && column.typeName !== "bool") {
    throw new FilterError(`is ${value} filter requires a boolean column, got ${column.typeName}`);
  }
  if (["like", "ilike", "match", "imatch"].includes(operator) && !textual.has(column.typeName)) {
    throw new FilterError(
      `operator ${operator} requires a text-compatible column type, got ${column.typeName}`,
    );
  }
  // Asked once with the row's value missing: a pattern or a value that cannot be read fails here, not at delivery.
  await sql.unsafe(`select ${conditionSql(condition, column.cast, "$1", "$2")}`, [null, value]);
  if (operator === "is") return condition;
  if (operator === "match" || operator === "imatch") await sql`select '' ~ ${value}`;
  if (["like", "ilike", "match", "imatch"].includes(operator)) return condition;
  const list = operator === "in" ? `unnest($1::text::${column.cast}[])` : `(select $1::text::${column.cast})`;
  const rows = await sql.unsafe<{ item: string }[]>(`select item::text as item from ${list} as list(item)`, [
    value,
  ]);
  if (operator === "in" && rows.length > mostInValues) {
    throw new FilterError("too many values for `in` filter. Maximum 100");
  }
  return { ...condition, typeName: column.typeName, canonical: rows.map((row) => row.item) };
}

const textual = new Set(["text", "varchar", "bpchar", "name"]);

function columnOf(table: Table, name: string) {
  return table.columns.find((column) => column.name === name);
}

function eventOf(event: unknown): Wanted["event"] {
  const name = typeof event === "string" ? event.toUpperCase() : "*";
  return name === "INSERT" || name === "UPDATE" || name === "DELETE" ? name : "*";
}

function selectOf(select: unknown): string[] | null {
  if (!Array.isArray(select)) return null;
  const names = select.filter((name) => typeof name === "string");
  return names.length === 0 ? null : names;
}

function told({ event, schema, table, conditions, select }: Wanted): string {
  const filters = conditions.map(
    ({ column, operator, value, negated }) => `{"${column}", "${operator}", "${value}", ${negated}}`,
  );
  return `event: ${event}, schema: ${schema}, table: ${table}, filters: [${filters.join(", ")}], select: ${select === null ? "nil" : JSON.stringify(select)}`;
}
