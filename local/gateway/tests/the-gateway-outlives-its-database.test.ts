import { chmod, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bootstrapDatabase } from "../../postgres/bootstrap.ts";
import { removeDataDir } from "../../postgres/place.ts";
import { type RunningPostgres, startPostgres } from "../../postgres/server.ts";
import { withSession } from "../../postgres/session.ts";
import { quietLog } from "../../stack/part.ts";
import { ensureAuthSchema } from "../auth-schema.ts";
import { gatewayBefore, keys } from "./local-project.ts";

let dataDir: string;
let database: RunningPostgres;
let gateway: Awaited<ReturnType<typeof gatewayBefore>>;
const passwords = { superuserPassword: "one", postgresPassword: "two", authenticatorPassword: "three" };

const query = (url: string, statements: string) => withSession(url, (sql) => sql.unsafe(statements));

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "gateway-outlives-"));
  await chmod(dataDir, 0o755);
  database = await startPostgres({ dataDir, port: 0, durable: true, ...passwords }, quietLog);
  await bootstrapDatabase(database.adminUrl);
  await ensureAuthSchema(database.adminUrl);
  await query(
    database.postgresUrl,
    "create table public.notes (id int); insert into public.notes values (1); grant select on public.notes to anon",
  );
  gateway = await gatewayBefore(database);
});
afterAll(async () => {
  await gateway.stop();
  await database.stop();
  await removeDataDir(dataDir);
});

describe("When the database is killed", () => {
  const rest = () => fetch(`${gateway.address}/rest/v1/notes`, { headers: { apikey: keys.publishableKey } });
  const signIn = () =>
    createClient(gateway.address, keys.publishableKey, {
      auth: { persistSession: false },
    }).auth.signInWithPassword({
      email: "nobody@example.com",
      password: "no password",
    });

  test("requests are answered 503 in PostgREST's form and Auth 500, and all works by itself when it is back", async () => {
    expect(await (await rest()).json()).toEqual([{ id: 1 }]);
    const [server] = await query(
      database.adminUrl,
      "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int as pid",
    );
    process.kill(Number(server?.pid), "SIGKILL");
    await database.ended;

    for (let attempt = 0; attempt < 3; attempt++) {
      const answer = await rest();
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({
        code: expect.stringMatching(/^PGRST00[012]$/),
        hint: null,
      });
      expect((await signIn()).error).toMatchObject({ name: "AuthRetryableFetchError", status: 500 });
    }

    const { port } = database;
    database = await startPostgres({ dataDir, port, durable: true, ...passwords }, quietLog);
    await expect.poll(async () => (await rest()).status, { timeout: 30_000 }).toBe(200);
    expect((await signIn()).error?.code).toBe("invalid_credentials");

    // The notice of changed schemas has to be listened to again as well.
    await query(
      database.postgresUrl,
      "create table public.later (id int); grant select on public.later to anon",
    );
    await expect
      .poll(
        async () =>
          (await fetch(`${gateway.address}/rest/v1/later`, { headers: { apikey: keys.publishableKey } }))
            .status,
      )
      .toBe(200);
  });
});
