import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { quietLog } from "../../stack/part.ts";
import { migrate, seed } from "../migrate.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../testing.ts";
import { upsertVaultSecrets } from "../vault-secrets.ts";

let server: TestServer;
let database: TestDatabase;
let folder: string;
let sql: postgres.Sql;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "migrations-"));
  database = await server.createDatabase();
  sql = postgres(database.postgresUrl, { max: 1 });
  return async () => {
    await sql.end();
    await database.drop();
    await rm(folder, { recursive: true });
  };
});

const write = (file: string, text: string) => writeFile(join(folder, file), text);
const run = (log = quietLog) => migrate(database.postgresUrl, folder, log);
const tables = async () =>
  (await sql`select tablename from pg_tables where schemaname = 'public' order by 1`).map(
    (row) => row.tablename,
  );

test("files are applied once, in the order of their numbers, as postgres, and written down", async () => {
  await write("20260102000000_second.sql", "-- why\nalter table calls add column note text;\n");
  await write("20260101000000_first.sql", "create table calls (id int);;\ninsert into calls values (1) ; ");
  expect(await run()).toEqual(["20260101000000_first.sql", "20260102000000_second.sql"]);
  expect(await run()).toEqual([]);
  expect(await sql`select tableowner from pg_tables where tablename = 'calls'`).toMatchObject([
    { tableowner: "postgres" },
  ]);
  expect([...(await sql`select * from supabase_migrations.schema_migrations order by version`)]).toEqual([
    {
      version: "20260101000000",
      name: "first",
      statements: ["create table calls (id int)", "insert into calls values (1)"],
    },
    { version: "20260102000000", name: "second", statements: ["alter table calls add column note text"] },
  ]);
});

test("a file that fails leaves nothing of itself, stops the rest, and is named with line, reason and code", async () => {
  await write("20260101000000_good.sql", "create table good (id int);");
  await write(
    "20260102000000_bad.sql",
    "create table half (id int);\n\n-- ü\nselect 'ü',\n  missing from half;",
  );
  await write("20260103000000_never.sql", "create table never (id int);");
  await expect(run()).rejects.toThrow(
    '20260102000000_bad.sql, line 5: column "missing" does not exist (SQLSTATE 42703)',
  );
  expect(await tables()).toEqual(["good"]);
  await write("20260102000000_bad.sql", "create table half (id int);");
  expect(await run()).toEqual(["20260102000000_bad.sql", "20260103000000_never.sql"]);
});

test("an error inside a block is told with the block's line and Postgres' own context", async () => {
  await write(
    "20260101000000_block.sql",
    "select 1;\n\ndo $$ begin\n  raise exception 'not today' using hint = 'tomorrow';\nend $$;",
  );
  await expect(run()).rejects.toThrow(
    "20260101000000_block.sql, line 3: not today (SQLSTATE P0001). Hint: tomorrow. In: PL/pgSQL function inline_code_block line 2 at RAISE",
  );
});

test("an error that only shows at the end of a file names the file", async () => {
  await write(
    "20260101000000_deferred.sql",
    "create table a (id int primary key, other int references a deferrable initially deferred); insert into a values (1, 2);",
  );
  await expect(run()).rejects.toThrow(/^20260101000000_deferred\.sql, at its end: .*\(SQLSTATE 23503\)/);
  expect(await tables()).toEqual([]);
});

test("settings of one file do not reach the next", async () => {
  await write("20260101000000_sets.sql", "create schema elsewhere; set search_path = elsewhere;");
  await write("20260102000000_creates.sql", "create table here (id int);");
  await run();
  expect(await tables()).toEqual(["here"]);
});

test("what a superuser could do and hosted refuses is refused", async () => {
  await write("20260101000000_sneaky.sql", "create table auth.mine (id int);");
  await expect(run()).rejects.toThrow("line 1: permission denied for schema auth (SQLSTATE 42501)");
});

test("a file that was deleted or comes too late is refused, as db push does", async () => {
  await write("20260102000000_second.sql", "select 2");
  await run();
  await write("20260101000000_late.sql", "select 1");
  await expect(run()).rejects.toThrow(
    "would come before the last applied one (20260102000000): 20260101000000_late.sql",
  );
  await rm(join(folder, "20260101000000_late.sql"));
  await rm(join(folder, "20260102000000_second.sql"));
  await expect(run()).rejects.toThrow("the database has migrations that the folder has not: 20260102000000");
});

test("a file changed after it was applied, a file with another name and a warning are said", async () => {
  await write(
    "20260101000000_first.sql",
    "drop table if exists nothing; do $$ begin raise warning 'careful'; end $$",
  );
  await write("notes.sql", "not sql at all");
  const said: string[] = [];
  await run((message) => void said.push(message));
  await write("20260101000000_first.sql", "select 2");
  await run((message) => void said.push(message));
  expect(said).toEqual([
    "skipped notes.sql: a migration's file name must match <14 digits>_name.sql",
    "WARNING: careful",
    "skipped notes.sql: a migration's file name must match <14 digits>_name.sql",
    "20260101000000_first.sql was changed after it was applied: the database still has the old one",
  ]);
});

test("two files of one version are refused", async () => {
  await write("20260101000000_a.sql", "select 1");
  await write("20260101000000_b.sql", "select 1");
  await expect(run()).rejects.toThrow("20260101000000_a.sql and 20260101000000_b.sql have the same version");
});

test("a seed is applied once, or not at all when it fails", async () => {
  await write("20260101000000_first.sql", "create table people (id int primary key)");
  await run();
  const file = join(folder, "seed.sql");
  await write("seed.sql", "insert into people values (1);\ninsert into people values (1);");
  await expect(seed(database.postgresUrl, file, quietLog)).rejects.toThrow(
    /^seed\.sql, line 2: duplicate key/,
  );
  expect(await sql`select from people`).toHaveLength(0);
  await write("seed.sql", "insert into people values (1);");
  expect(await seed(database.postgresUrl, file, quietLog)).toBe(true);
  expect(await seed(database.postgresUrl, file, quietLog)).toBe(false);
  expect(await sql`select from people`).toHaveLength(1);
});

test("secrets are created, changed and left alone by name", async () => {
  const secrets = () =>
    sql`select name, decrypted_secret as secret, updated_at from vault.decrypted_secrets order by 1`;
  await upsertVaultSecrets(database.postgresUrl, { a: "one", b: "two" });
  const [before] = await secrets();
  await upsertVaultSecrets(database.postgresUrl, { a: "one", b: "three", c: "" });
  const after = await secrets();
  expect(after).toMatchObject([
    { name: "a", secret: "one" },
    { name: "b", secret: "three" },
    { name: "c", secret: "" },
  ]);
  expect(after[0]?.updated_at).toEqual(before?.updated_at);
});
