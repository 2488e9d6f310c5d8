import { existsSync } from "node:fs";
import postgres from "postgres";
import { expect, test } from "vitest";
import { type Prepare, startTestServer } from "../testing.ts";

let prepared = 0;
const withTable: Prepare = async ({ postgresUrl }) => {
  prepared += 1;
  const sql = postgres(postgresUrl, { max: 1 });
  await sql`create table notes (text text)`;
  await sql.end();
};

async function rowsAfterInsert(url: string): Promise<number> {
  const sql = postgres(url, { max: 1 });
  await sql`insert into notes values ('mine')`;
  const rows = await sql`select from notes`;
  await sql.end();
  return rows.length;
}

test("databases are clones of one template, can be dropped while in use, and are gone with their server", async () => {
  const server = await startTestServer();
  const admin = postgres(server.adminUrl, { max: 1 });
  const [directory] = await admin`select current_setting('data_directory') as path`;
  const [first, second, bare] = await Promise.all([
    server.createDatabase({ prepare: withTable }),
    server.createDatabase({ prepare: withTable }),
    server.createDatabase(),
  ]);
  expect(prepared).toBe(1);
  expect(await rowsAfterInsert(first.postgresUrl)).toBe(1);
  expect(await rowsAfterInsert(second.postgresUrl)).toBe(1);
  await expect(rowsAfterInsert(bare.postgresUrl)).rejects.toMatchObject({ code: "42P01" });

  // A session and a replication slot are what a running Realtime server would hold.
  const busy = postgres(first.adminUrl, { max: 1 });
  await busy`select pg_create_logical_replication_slot('left_over', 'pgoutput')`;
  await first.drop();
  await expect(busy`select 1`).rejects.toThrow();
  await busy.end();
  expect(await admin`select from pg_database where datname = ${first.name}`).toHaveLength(0);

  await admin.end();
  await server.stop();
  expect(existsSync(directory?.path)).toBe(false);
  await expect(rowsAfterInsert(second.postgresUrl)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});
