/** What the real Supabase CLI makes of this project, against a database by address. */
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withSession } from "../../local/postgres/session.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../../local/postgres/testing.ts";
import { generateTypes, TYPES_FILE } from "../../scripts/database-types.ts";
import { withSupabaseCli } from "../../scripts/supabase-cli.ts";
import { emptyProject, takeOver, withRecordingColumns } from "./old-portal/old-portal.ts";

/** The variables that config.toml's [db.vault] names. */
const VAULT = {
  FUNCTIONS_URL: "https://project.example.com/functions/v1",
  WAKE_UP_SECRET: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
};

let server: TestServer;
/** The old portal's database with all its rows, migrated by the CLI. */
let old: TestDatabase;
/** An empty project, migrated by our own runner. */
let empty: TestDatabase;
let pushedFiles: string[];

const push = (database: TestDatabase) =>
  withSupabaseCli(database.postgresUrl, (cli) => cli.run(["db", "push"], VAULT));
const named = (text: string) => [...text.matchAll(/\d{14}_\w+\.sql/g)].map(([file]) => file);

beforeAll(async () => {
  server = await startTestServer();
  old = await server.createDatabase({ prepare: withRecordingColumns });
  empty = await server.createDatabase({ prepare: emptyProject });
  await takeOver(empty);
  const { exitCode, stderr } = await push(old);
  if (exitCode !== 0) throw new Error(stderr);
  pushedFiles = named(stderr);
  // A hosted project knows which schemas its API shows; without that the advisors see none as exposed.
  for (const { adminUrl, name } of [old, empty]) {
    await withSession(adminUrl, (sql) =>
      sql.unsafe(`alter database ${name} set pgrst.db_schemas = 'public,recorder_api'`),
    );
  }
});
afterAll(() => server.stop());

test("db push applies every migration and gives Vault its secrets", async () => {
  expect(pushedFiles.length).toBeGreaterThan(10);
  const failed = await withSession(
    old.postgresUrl,
    (sql) => sql`select from public.recordings where status = 'failed'`,
  );
  expect(failed).toHaveLength(9);
  const secrets = await withSession(
    old.postgresUrl,
    (sql) => sql`select name, decrypted_secret from vault.decrypted_secrets order by name`,
  );
  expect(secrets).toEqual([
    { name: "functions_url", decrypted_secret: VAULT.FUNCTIONS_URL },
    { name: "wake_up_secret", decrypted_secret: VAULT.WAKE_UP_SECRET },
  ]);
});

test("after db push our own runner finds nothing to do, and after our runner db push does", async () => {
  const lines: string[] = [];
  expect(await takeOver(old, (line) => lines.push(line))).toEqual([]);
  // Neither a file that is missing nor one that was changed: both leave the same history.
  expect(lines).toEqual([]);
  const { exitCode, stdout, stderr } = await push(empty);
  expect(stdout + stderr).toContain("Remote database is up to date");
  expect(exitCode).toBe(0);
});

test("migration list shows every version on both sides", async () => {
  const { stdout } = await withSupabaseCli(old.postgresUrl, (cli) => cli.run(["migration", "list"]));
  const sides = [...stdout.matchAll(/`(\d{14})?`\s*\|\s*`(\d{14})?`/g)].map(([, local, remote]) => [
    local,
    remote,
  ]);
  const versions = pushedFiles.map((file) => file.slice(0, 14));
  expect(sides).toEqual(versions.map((version) => [version, version]));
});

const advice = async (database: TestDatabase): Promise<string[]> => {
  const { stdout, stderr } = await withSupabaseCli(database.postgresUrl, (cli) =>
    cli.run(["db", "advisors", "--level", "warn"]),
  );
  if (stdout.trim() === "" || stdout.includes("No issues found")) {
    expect(stderr + stdout).toContain("No issues found");
    return [];
  }
  const findings = JSON.parse(stdout) as { level: string; name: string; detail: string }[];
  return findings.map(({ level, name, detail }) => `${level} ${name}: ${detail}`);
};

test("the advisors have no error and no warning about an empty project", async () => {
  expect(await advice(empty)).toEqual([]);
});

test("the advisors have no error and no warning about the old portal's database either", async () => {
  expect(await advice(old)).toEqual([]);
});

test("the advisors would speak up", async () => {
  await withSession(empty.postgresUrl, async (sql) => {
    await sql`create table public.open_to_all (id bigint primary key)`;
    await sql`grant select on public.open_to_all to anon`;
  });
  try {
    expect(await advice(empty)).toEqual([
      expect.stringMatching(/^ERROR rls_disabled_in_public: .*open_to_all/),
    ]);
  } finally {
    await withSession(empty.postgresUrl, (sql) => sql`drop table public.open_to_all`);
  }
});

test("the checked-in types are those of the migrations: `npm run types` renews them", async () => {
  expect(await readFile(TYPES_FILE, "utf8")).toBe(await generateTypes(empty.postgresUrl));
});
