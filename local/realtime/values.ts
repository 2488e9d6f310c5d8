import type { Sql } from "postgres";
import type { Column } from "./tables.ts";

/** A value as it stands in a change's `record`: what Postgres' to_jsonb gives. */
export type JsonValue = string | number | boolean | null | object;

const textTypes = new Set([
  "text",
  "varchar",
  "bpchar",
  "char",
  "name",
  "uuid",
  "date",
  "time",
  "timetz",
  "bytea",
  "inet",
]);
const numberTypes = new Set(["int2", "int4", "int8", "oid", "float4", "float8", "numeric"]);

/**
 * Postgres' text form of a value as JSON, or undefined for types that only the database can write as JSON (arrays,
 * composites, domains, ranges and whatever an extension brings).
 */
export function toJson(column: Column, text: string | null): JsonValue | undefined {
  if (text === null) return null;
  const { typeName } = column;
  if (column.kind === "e" || textTypes.has(typeName)) return text;
  if (numberTypes.has(typeName)) {
    const number = Number(text);
    return Number.isFinite(number) ? number : text;
  }
  if (typeName === "bool") return text === "t";
  if (typeName === "json" || typeName === "jsonb") return JSON.parse(text) as JsonValue;
  if (typeName === "timestamp") return text.replace(" ", "T");
  // The stream's session is in UTC, so the offset is always +00, which JSON writes as +00:00.
  if (typeName === "timestamptz") return text.replace(" ", "T").replace(/\+00( BC)?$/, "+00:00$1");
  return undefined;
}

/** Asks the database for the JSON form of values that toJson cannot write; same order. Throws what Postgres answers. */
export async function askForJson(sql: Sql, values: { column: Column; text: string }[]): Promise<JsonValue[]> {
  if (values.length === 0) return [];
  const items = values.map(({ column }, index) => `to_jsonb(($${index + 1}::text)::${column.cast})`);
  const [row] = await sql.unsafe(
    `select jsonb_build_array(${items.join(", ")}) as list`,
    values.map(({ text }) => text),
  );
  return row?.list as JsonValue[];
}
