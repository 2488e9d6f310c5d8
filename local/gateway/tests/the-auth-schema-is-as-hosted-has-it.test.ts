import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../postgres/testing.ts";
import { ensureAuthSchema } from "../auth-schema.ts";

let server: TestServer;
let sql: postgres.Sql;
let admin: postgres.Sql;
let adminUrl: string;
const options = { max: 1, onnotice: () => undefined };
const refused = (statement: string) => expect(sql.unsafe(statement)).rejects.toMatchObject({ code: "42501" });

beforeAll(async () => {
  server = await startTestServer();
  const database = await server.createDatabase();
  adminUrl = database.adminUrl;
  sql = postgres(database.postgresUrl, options);
  admin = postgres(adminUrl, options);
  await ensureAuthSchema(adminUrl);
});
afterAll(async () => {
  await Promise.all([sql.end(), admin.end()]);
  await server.stop();
});

describe("The role postgres", () => {
  test("refers to auth.users, reads users and identities, and makes users", async () => {
    await sql`create table public.profiles (id uuid primary key references auth.users (id) on delete cascade)`;
    await sql`insert into auth.users (id, email) values ('11111111-1111-4111-8111-111111111111', 'a@example.com')`;
    await sql`insert into public.profiles select id from auth.users`;
    expect(await sql`select from auth.users left join auth.identities on user_id = users.id`).toHaveLength(1);
  });
  test("makes and changes nothing else there", async () => {
    await refused("create table auth.mine ()");
    await refused("create function auth.mine() returns int language sql as 'select 1'");
    await refused("alter table auth.users add column mine int");
    await refused("drop function auth.uid()");
  });
  test("keeps the migrations' book", async () => {
    await sql`insert into supabase_migrations.schema_migrations (version) values ('20260101000000')`;
  });
});

describe("The API's roles", () => {
  test("have usage on the schema and nothing on its tables, which have RLS besides", async () => {
    const rows = await admin`
      select role, t.relname, has_schema_privilege(role, 'auth', 'usage') as usage, t.relrowsecurity as rls,
        has_table_privilege(role, t.oid, 'select, insert, update, delete, truncate, references, trigger') as any_right
      from unnest(array['anon', 'authenticated', 'service_role']) role, pg_class t
      where t.relnamespace = 'auth'::regnamespace and t.relkind = 'r'`;
    expect(rows.length).toBeGreaterThanOrEqual(15);
    for (const row of rows) expect(row).toMatchObject({ usage: true, rls: true, any_right: false });
  });
  test("ask who they are: the JSON claims, before them the older settings, and null for nobody", async () => {
    const ask = (settings: Record<string, string>) =>
      sql.begin(async (transaction) => {
        for (const [name, value] of Object.entries(settings)) {
          await transaction`select set_config(${name}, ${value}, true)`;
        }
        await transaction`set local role authenticated`;
        const [row] = await transaction`select auth.uid(), auth.role(), auth.email(), auth.jwt()`;
        return row;
      });
    const uid = "22222222-2222-4222-8222-222222222222";
    const claims = { sub: uid, role: "authenticated", email: "b@example.com", nested: { a: 1 } };
    expect(await ask({ "request.jwt.claims": JSON.stringify(claims) })).toEqual({
      uid,
      role: "authenticated",
      email: "b@example.com",
      jwt: claims,
    });
    const older = "33333333-3333-4333-8333-333333333333";
    expect(
      await ask({ "request.jwt.claims": JSON.stringify(claims), "request.jwt.claim.sub": older }),
    ).toMatchObject({ uid: older });
    expect(await ask({ "request.jwt.claims": "" })).toEqual({
      uid: null,
      role: null,
      email: null,
      jwt: null,
    });
  });
});

describe("A second time", () => {
  test("changes nothing and does not load @supabase/lite", async () => {
    const script = `
      const { ensureAuthSchema } = await import(${JSON.stringify(fileURLToPath(new URL("../auth-schema.ts", import.meta.url)))});
      const { registerHooks } = await import("node:module");
      registerHooks({ load(url, context, next) {
        if (url.includes("@supabase/lite/dist")) throw new Error("loaded " + url);
        return next(url, context);
      } });
      await ensureAuthSchema(process.env.ADMIN_URL);`;
    await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
      env: { ...process.env, ADMIN_URL: adminUrl },
    });
  });
  test("mends what an older version left behind", async () => {
    await admin`comment on schema auth is 'made by an older one'`;
    await admin.unsafe(
      `create or replace function auth.uid() returns uuid language sql stable as 'select null::uuid'`,
    );
    await ensureAuthSchema(adminUrl);
    const [row] = await admin`
      select set_config('request.jwt.claims', '{"sub":"22222222-2222-4222-8222-222222222222"}', false), auth.uid()`;
    expect(row?.uid).toBe("22222222-2222-4222-8222-222222222222");
  });
});
