import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type postgres from "postgres";
import { keysFileOf } from "../../local/stack/keys.ts";

/** Something that may stand in no table and no log, and the forms in which it could. */
export interface Secret {
  name: string;
  forms: string[];
}

/** Values of the keys file that are names, not secrets. */
const publicKeys = [
  "publishableKey",
  "agora.appId",
  "agora.customerId",
  "b2.ingest.keyId",
  "b2.storage.keyId",
  "b2.playback.keyId",
];

/** Every secret of a stack: all of its keys file but the names, and what they are sent as. */
export async function secretsOf(dataDir: string): Promise<Secret[]> {
  const keys = leavesOf(JSON.parse(await readFile(keysFileOf(dataDir), "utf8")));
  const missing = publicKeys.filter((name) => !keys.has(name));
  if (missing.length > 0) throw new Error(`the keys file has no ${missing.join(", ")}`);
  const basic = `${keys.get("agora.customerId")}:${keys.get("agora.customerSecret")}`;
  return [
    ...[...keys].filter(([name]) => !publicKeys.includes(name)),
    ["the engine's Basic credentials", Buffer.from(basic).toString("base64")] as const,
    // Tokens that open a channel begin so, whatever is in them.
    ["a token of the engine", "007eJx"] as const,
  ].map(([name, value]) => ({ name, forms: formsOf(value) }));
}

/** As it is, in base64, in hexadecimal digits (bytea) and in an address. */
export function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  // Base64 of a longer text holds that of a part of it only without the last group, which the rest of the text changes.
  const base64 = bytes.toString("base64").replace(/=+$/, "").slice(0, -2);
  const forms = [value, bytes.toString("hex"), encodeURIComponent(value)];
  return [...new Set(value.length < 12 ? forms : [...forms, base64])];
}

function leavesOf(value: unknown, path: string[] = []): Map<string, string> {
  if (typeof value === "string") return new Map([[path.join("."), value]]);
  if (typeof value !== "object" || value === null) return new Map();
  return new Map(Object.entries(value).flatMap(([name, inner]) => [...leavesOf(inner, [...path, name])]));
}

/** Every table of every schema, the system's own too, in which one of these stands in any column of any row. */
export async function findInTables(sql: postgres.Sql, secrets: readonly Secret[]): Promise<string[]> {
  const tables = await sql<{ name: string }[]>`
    select format('%I.%I', n.nspname, c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'm') and n.nspname !~ '^pg_(toast|temp)' order by 1`;
  if (tables.length < 100) throw new Error(`only ${tables.length} tables are seen`);
  const found: string[] = [];
  for (const { name: table } of tables) {
    const patterns = secrets.flatMap(({ forms }) => forms.map(patternOf));
    // A row as text shows every column: JSON and bytea in their own notations.
    const rows = await sql.unsafe<{ row: string }[]>(
      `select t::text as row from only ${table} t where t::text like any ($1::text[])`,
      [patterns],
    );
    found.push(...rows.flatMap(({ row }) => namesIn(row, secrets).map((name) => `${name} in ${table}`)));
  }
  return [...new Set(found)];
}

/** Every log of a stack's parts in which one of these stands. */
export async function findInLogs(dataDir: string, secrets: readonly Secret[]): Promise<string[]> {
  const folder = join(dataDir, "logs");
  const files = (await readdir(folder)).sort();
  if (files.length < 8) throw new Error(`only ${files.length} logs are there`);
  const found = await Promise.all(
    files.map(async (file) =>
      namesIn(await readFile(join(folder, file), "utf8"), secrets).map((name) => `${name} in ${file}`),
    ),
  );
  return found.flat();
}

function namesIn(text: string, secrets: readonly Secret[]): string[] {
  return secrets.filter(({ forms }) => forms.some((form) => text.includes(form))).map(({ name }) => name);
}

const patternOf = (form: string): string => `%${form.replace(/[\\%_]/g, "\\$&")}%`;
