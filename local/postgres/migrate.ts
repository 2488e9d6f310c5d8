import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import postgres from "postgres";
import type { Log } from "../stack/part.ts";
import { withSession } from "./session.ts";
import { type Statement, splitStatements } from "./statements.ts";

/** A file of SQL that Postgres refused; its message is what a person needs to find the place. */
export class SqlFileError extends Error {
  override name = "SqlFileError";
}

interface Migration {
  version: string;
  name: string;
  file: string;
}

/** Fourteen digits, as `supabase migration new` names them. */
const FILE_NAME = /^(\d{14})_(.+)\.sql$/;

const BOOKKEEPING = `
  create schema if not exists supabase_migrations;
  create table if not exists supabase_migrations.schema_migrations (
    version text not null primary key, statements text[], name text);
  create table if not exists supabase_migrations.seed_files (path text not null primary key, hash text not null)`;

/**
 * Applies the migrations that the database does not have yet, in order, as `supabase db push` does: each file in one
 * transaction with its row in supabase_migrations.schema_migrations, its settings reset first, its statements one by
 * one. (A file with a COMMIT of its own gives up being all-or-nothing.)
 *
 * @param postgresUrl the database, as `postgres`: never as a superuser, who may do what hosted refuses.
 * @returns the names of the files that were applied.
 * @throws SqlFileError naming file, line, SQLSTATE and Postgres' message.
 * @throws Error when the history does not fit the folder, with db push's own refusals.
 */
export async function migrate(postgresUrl: string, migrationsDir: string, log: Log): Promise<string[]> {
  const migrations = await migrationsIn(migrationsDir, log);
  return withDatabase(postgresUrl, log, async (sql) => {
    await sql.unsafe(BOOKKEEPING);
    const history = await sql<{ version: string; statements: string[] | null }[]>`
      select version, statements from supabase_migrations.schema_migrations order by version`;
    const applied = new Map(history.map((row) => [row.version, row.statements]));
    refuseOtherHistory([...applied.keys()], migrations);
    const names: string[] = [];
    for (const { version, name, file } of migrations) {
      const statements = splitStatements(await readFile(join(migrationsDir, file), "utf8"));
      const texts = statements.map((statement) => statement.text);
      if (applied.has(version)) {
        // The CLI keeps the comments before a statement, this runner does not.
        const known = (applied.get(version) ?? [])
          .flatMap(splitStatements)
          .map((statement) => statement.text);
        const changed = JSON.stringify(known) !== JSON.stringify(texts);
        if (changed) log(`${file} was changed after it was applied: the database still has the old one`);
        continue;
      }
      await applyStatements(sql, file, statements, async (transaction) => {
        await transaction`
          insert into supabase_migrations.schema_migrations ${transaction({ version, name, statements: texts })}`;
      });
      names.push(file);
    }
    return names;
  });
}

/**
 * Applies a seed file in one transaction, unless this database has had it: seeds are not repeatable.
 *
 * @returns whether it was applied now.
 * @throws SqlFileError as `migrate` does.
 */
export async function seed(postgresUrl: string, file: string, log: Log): Promise<boolean> {
  const path = basename(file);
  return withDatabase(postgresUrl, log, async (sql) => {
    await sql.unsafe(BOOKKEEPING);
    const [row] = await sql`select from supabase_migrations.seed_files where path = ${path}`;
    if (row) return false;
    const text = await readFile(file, "utf8");
    const hash = createHash("sha256").update(text).digest("hex");
    await applyStatements(sql, path, splitStatements(text), async (transaction) => {
      await transaction`insert into supabase_migrations.seed_files ${transaction({ path, hash })}`;
    });
    return true;
  });
}

/** Applies a file of SQL in one transaction without remembering it. Throws SqlFileError as `migrate` does. */
export async function applyFile(url: string, file: string, log: Log): Promise<void> {
  const statements = splitStatements(await readFile(file, "utf8"));
  await withDatabase(url, log, (sql) =>
    applyStatements(sql, basename(file), statements, async () => undefined),
  );
}

function withDatabase<Result>(url: string, log: Log, act: (sql: postgres.Sql) => Promise<Result>) {
  return withSession(url, act, (notice) => {
    // "already exists, skipping" and its like are what a repeatable migration expects.
    if (notice.severity !== "NOTICE" || !notice.message?.endsWith(", skipping"))
      log(`${notice.severity}: ${notice.message}`);
  });
}

async function migrationsIn(folder: string, log: Log): Promise<Migration[]> {
  const migrations: Migration[] = [];
  for (const file of (await readdir(folder)).sort()) {
    const [, version, name] = FILE_NAME.exec(file) ?? [];
    if (version !== undefined && name !== undefined) migrations.push({ version, name, file });
    else log(`skipped ${file}: a migration's file name must match <14 digits>_name.sql`);
  }
  for (const [index, { version, file }] of migrations.entries()) {
    const before = migrations[index - 1];
    if (before?.version === version) throw new Error(`${before.file} and ${file} have the same version`);
  }
  return migrations;
}

/** The two states in which `supabase db push` refuses to go on. */
function refuseOtherHistory(applied: string[], migrations: Migration[]): void {
  const versions = new Set(migrations.map((migration) => migration.version));
  const lost = applied.filter((version) => !versions.has(version));
  if (lost.length > 0) {
    throw new Error(`the database has migrations that the folder has not: ${lost.join(", ")}`);
  }
  const last = applied.at(-1) ?? "";
  const late = migrations.filter(({ version }) => version < last && !applied.includes(version));
  if (late.length > 0) {
    const files = late.map((migration) => migration.file).join(", ");
    throw new Error(`new migrations would come before the last applied one (${last}): ${files}`);
  }
}

async function applyStatements(
  sql: postgres.Sql,
  file: string,
  statements: Statement[],
  record: (transaction: postgres.TransactionSql) => Promise<void>,
): Promise<void> {
  // What an earlier file has SET must not reach this one.
  await sql`reset all`;
  await sql
    .begin(async (transaction) => {
      for (const statement of statements) {
        await transaction.unsafe(statement.text).catch((error: unknown) => {
          throw explain(error, file, statement);
        });
      }
      await record(transaction);
    })
    .catch((error: unknown) => {
      // Deferred constraints speak up at COMMIT, where no statement is to blame.
      throw error instanceof postgres.PostgresError ? explain(error, file, undefined) : error;
    });
}

function explain(error: unknown, file: string, statement: Statement | undefined): unknown {
  if (!(error instanceof postgres.PostgresError)) return error;
  const place = statement ? `${file}, line ${errorLine(statement, error.position)}` : `${file}, at its end`;
  const parts = [
    `${place}: ${error.message} (SQLSTATE ${error.code})`,
    error.detail && `Detail: ${error.detail}`,
    error.hint && `Hint: ${error.hint}`,
    error.where && `In: ${error.where.replaceAll("\n", " / ")}`,
  ].filter((part) => part !== undefined && part !== "");
  return new SqlFileError(parts.map((part) => part?.replace(/\.$/, "")).join(". "), { cause: error });
}

/**
 * The line of the file that Postgres points at: `position` counts the statement's characters from 1. Without one, an
 * error inside a function for example, it is the statement's first line.
 */
export function errorLine(statement: Statement, position: string | undefined): number {
  if (position === undefined) return statement.line;
  const before = [...statement.text].slice(0, Number(position) - 1).join("");
  return statement.line + before.split("\n").length - 1;
}
