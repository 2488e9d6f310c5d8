/** Every supabase/tests file is one test here, run by the real pgTAP as the role `postgres`. */
import { existsSync, globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applyFile } from "../../local/postgres/migrate.ts";
import { runPgTap } from "../../local/postgres/pgtap.ts";
import { prepareDatabase } from "../../local/postgres/prepare.ts";
import { type Prepare, startTestServer, type TestServer } from "../../local/postgres/testing.ts";
import { quietLog } from "../../local/stack/part.ts";

const SUPABASE = fileURLToPath(new URL("../../supabase/", import.meta.url));
const TESTS = join(SUPABASE, "tests");
const HELPERS = join(TESTS, "000_helpers.sql");

const files = globSync("**/*.test.sql", { cwd: TESTS }).sort();

const everything: Prepare = async ({ adminUrl, postgresUrl }) => {
  await prepareDatabase({
    adminUrl,
    postgresUrl,
    migrationsDir: join(SUPABASE, "migrations"),
    vaultSecrets: {},
    log: quietLog,
  });
  const sql = postgres(postgresUrl, { max: 1 });
  await sql`create extension pgtap with schema extensions`;
  await sql.end();
  if (existsSync(HELPERS)) await applyFile(postgresUrl, HELPERS, quietLog);
};

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

test("there are database tests to run", () => {
  expect(files).not.toEqual([]);
});

test.each(files)("%s", async (file) => {
  const database = await server.createDatabase({ prepare: everything });
  const report = await runPgTap(database.postgresUrl, await readFile(join(TESTS, file), "utf8"));
  await database.drop();
  // The failures are texts for people: a comparison would only repeat them.
  if (report.failures.length > 0) throw new Error(report.failures.join("\n\n"));
});
