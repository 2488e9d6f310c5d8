import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prepareDatabase } from "../prepare.ts";
import { startTestServer, type TestServer } from "../testing.ts";

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await startTestServer();
  folder = await mkdtemp(join(tmpdir(), "call-recording-project-"));
  await mkdir(join(folder, "migrations"));
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

test("a database is prepared in one go, and in under a second when nothing is left to do", async () => {
  // A migration sees the objects of Auth and Realtime, and the secrets.
  await writeFile(
    join(folder, "migrations/20260101000000_first.sql"),
    `create table calls (id int primary key, owner uuid references auth.users (id));
     create policy listen on realtime.messages for select to authenticated using (realtime.topic() = 'a' and auth.uid() is not null);
     create table seen as select decrypted_secret as secret from vault.decrypted_secrets where name = 'key'`,
  );
  await writeFile(join(folder, "seed.sql"), "insert into calls values (1)");
  const database = await server.createDatabase();
  const lines: string[] = [];
  const prepare = () =>
    prepareDatabase({
      adminUrl: database.adminUrl,
      postgresUrl: database.postgresUrl,
      migrationsDir: join(folder, "migrations"),
      seedFile: join(folder, "seed.sql"),
      vaultSecrets: { key: "the secret" },
      log: (line) => void lines.push(line),
    });
  await prepare();
  await prepare();
  expect(lines).toEqual(["migrations applied: 1, the last is 20260101000000_first.sql", "applied the seed"]);

  const sql = postgres(database.postgresUrl, { max: 1 });
  expect([...(await sql`select secret, (select count(*)::int from calls) as calls from seen`)]).toEqual([
    { secret: "the secret", calls: 1 },
  ]);
  await sql.end();
});
