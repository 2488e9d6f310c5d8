import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bootstrapDatabase } from "../bootstrap.ts";
import { startTestServer, type TestDatabase, type TestServer } from "../testing.ts";

let server: TestServer;
let database: TestDatabase;
let admin: postgres.Sql;
let sql: postgres.Sql;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

beforeEach(async () => {
  database = await server.createDatabase();
  admin = postgres(database.adminUrl, { max: 1, onnotice: () => undefined });
  sql = postgres(database.postgresUrl, { max: 1, onnotice: () => undefined });
  return async () => {
    await Promise.all([admin.end(), sql.end()]);
    await database.drop();
  };
});

/** Runs statements of `postgres` under another role, in one transaction that is undone. */
async function as(role: string, statement: string): Promise<postgres.RowList<postgres.Row[]>> {
  const reserved = await sql.reserve();
  try {
    await reserved.unsafe(`begin; set local role ${role}`);
    return await reserved.unsafe(statement);
  } finally {
    await reserved.unsafe("rollback");
    reserved.release();
  }
}

const refused = (statement: string) => expect(sql.unsafe(statement)).rejects.toMatchObject({ code: "42501" });

describe("postgres", () => {
  test("has the attributes of a hosted project and is no superuser", async () => {
    const [role] = await sql`select rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls
      from pg_roles where rolname = current_user`;
    expect(role).toEqual({
      rolsuper: false,
      rolcreatedb: true,
      rolcreaterole: true,
      rolreplication: true,
      rolbypassrls: true,
    });
    await refused("alter system set work_mem = '8MB'");
    await refused("alter role postgres superuser");
    await refused("copy (select 1) to program 'true'");
  });

  test("creates schemas, and tables, functions and triggers in them", async () => {
    await sql.unsafe(`create schema engine; create table engine.rows (id int primary key);
      create function engine.touch() returns trigger language plpgsql as 'begin return new; end';
      create trigger touch before insert on engine.rows for each row execute function engine.touch()`);
    await sql`insert into engine.rows values (1)`;
    expect(await sql`select id from engine.rows`).toHaveLength(1);
  });

  test.each(["auth", "storage", "realtime", "vault", "graphql_public"])(
    "cannot create in schema %s",
    (schema) => refused(`create table ${schema}.mine (id int)`),
  );

  test("becomes anon, authenticated and service_role, but no administrator of the platform", async () => {
    for (const role of ["anon", "authenticated", "service_role"]) {
      expect(await as(role, "select current_user as me")).toMatchObject([{ me: role }]);
    }
    for (const role of ["supabase_admin", "supabase_auth_admin", "supabase_realtime_admin"]) {
      await expect(as(role, "select 1")).rejects.toMatchObject({ code: "42501" });
    }
  });

  test("makes a role that bypasses row level security, and hands tables to it", async () => {
    await sql.unsafe(`create role facts_owner nologin bypassrls; grant facts_owner to postgres with set true, inherit true;
      grant create on schema public to facts_owner; create table facts (id int); alter table facts owner to facts_owner`);
    expect(await sql`select tableowner from pg_tables where tablename = 'facts'`).toMatchObject([
      { tableowner: "facts_owner" },
    ]);
    await sql.unsafe(
      "drop table facts; revoke create on schema public from facts_owner; drop role facts_owner",
    );
  });

  test("adds its own tables to the publication supabase_realtime, which is empty at first", async () => {
    expect(await sql`select from pg_publication_tables where pubname = 'supabase_realtime'`).toHaveLength(0);
    await sql.unsafe(
      "create table calls (id int primary key); alter publication supabase_realtime add table calls",
    );
    expect(await sql`select tablename from pg_publication_tables`).toMatchObject([{ tablename: "calls" }]);
  });

  test("finds functions of the schema extensions without naming it", async () => {
    expect(
      await sql`select uuid_generate_v4() is not null and digest('a', 'sha256') is not null as ok`,
    ).toMatchObject([{ ok: true }]);
  });

  test("installs trusted extensions, whose objects belong to the platform", async () => {
    await sql.unsafe(
      "create extension pgtap with schema extensions; create extension hstore with schema extensions",
    );
    await admin.unsafe("drop extension supabase_vault");
    await sql.unsafe("create extension supabase_vault with schema vault");
    const owners =
      await sql`select pg_get_userbyid(relowner) as owner from pg_class where oid = 'vault.secrets'::regclass`;
    expect(owners).toMatchObject([{ owner: "supabase_admin" }]);
    await refused("create extension dblink");
  });

  test("refers to users of Auth, and reads them, as each table of Auth is made", async () => {
    await admin`create table auth.users (id uuid primary key)`;
    await sql`create table people (user_id uuid references auth.users (id) on delete cascade)`;
    await sql`insert into auth.users values (gen_random_uuid())`;
    await refused("alter table auth.users add column mine int");
    await refused("drop table auth.users");
  });

  test("writes policies on realtime.messages and changes nothing else there", async () => {
    await admin.unsafe(`create table realtime.messages (id int); alter table realtime.messages enable row level security;
      alter table realtime.messages owner to postgres`);
    await sql.unsafe("create policy listen on realtime.messages for select using (true)");
    await sql.unsafe("alter policy listen on realtime.messages using (false)");
    await refused("alter table realtime.messages disable row level security");
    await refused("alter table realtime.messages owner to postgres");
    await refused("create index on realtime.messages (id)");
    await refused("drop table realtime.messages");
    await sql.unsafe("drop policy listen on realtime.messages");
    await admin.unsafe("drop table realtime.messages");
  });
});

describe("the API roles", () => {
  test.each(["anon", "authenticated", "service_role"])(
    "%s may use public but gets no table, sequence or schema for free",
    async (role) => {
      await sql.unsafe(
        "create table secrets (id serial primary key); create schema hidden; create table hidden.rows (id int)",
      );
      await expect(as(role, "select * from secrets")).rejects.toMatchObject({ code: "42501" });
      await expect(as(role, "insert into secrets default values")).rejects.toMatchObject({ code: "42501" });
      await expect(as(role, "select nextval('secrets_id_seq')")).rejects.toMatchObject({ code: "42501" });
      await expect(as(role, "select * from hidden.rows")).rejects.toMatchObject({ code: "42501" });
      await expect(as(role, "create table mine (id int)")).rejects.toMatchObject({ code: "42501" });
      await sql.unsafe(`grant select on secrets to ${role}`);
      expect(await as(role, "select * from secrets")).toHaveLength(0);
    },
  );

  test("only service_role passes row level security", async () => {
    await sql.unsafe(`create table notes (id int); insert into notes values (1);
      alter table notes enable row level security; grant select on notes to anon, authenticated, service_role`);
    expect(await as("anon", "select * from notes")).toHaveLength(0);
    expect(await as("authenticated", "select * from notes")).toHaveLength(0);
    expect(await as("service_role", "select * from notes")).toHaveLength(1);
  });

  test("carry the platform's statement timeouts", async () => {
    const rows = await sql`select rolname, rolconfig from pg_roles
      where rolname in ('anon', 'authenticated', 'authenticator', 'service_role') order by 1`;
    expect(rows.map((row) => [row.rolname, row.rolconfig])).toEqual([
      ["anon", ["statement_timeout=3s"]],
      ["authenticated", ["statement_timeout=8s"]],
      ["authenticator", ["statement_timeout=8s", "lock_timeout=8s"]],
      ["service_role", null],
    ]);
  });
});

test("authenticator signs in with no rights of its own and switches to the three API roles only", async () => {
  await sql.unsafe("create table rows_of_service (id int); grant select on rows_of_service to service_role");
  const rest = postgres(database.authenticatorUrl, { max: 1 });
  try {
    await expect(rest.unsafe("select * from rows_of_service")).rejects.toMatchObject({ code: "42501" });
    await expect(rest.unsafe("set role postgres")).rejects.toMatchObject({ code: "42501" });
    await rest.unsafe("set role service_role");
    expect(await rest.unsafe("select * from rows_of_service")).toHaveLength(0);
  } finally {
    await rest.end();
  }
});

test("nobody signs in with a wrong password", async () => {
  const url = Object.assign(new URL(database.adminUrl), { password: "wrong" }).href;
  const stranger = postgres(url, { max: 1 });
  await expect(stranger`select 1`).rejects.toMatchObject({ code: "28P01" });
  await stranger.end();
});

test("preparing a database again changes nothing in it", async () => {
  const state = () => admin`select
      (select json_agg(r order by rolname) from (select rolname, rolconfig from pg_roles) r) as roles,
      (select json_agg(n order by nspname) from (select nspname, nspowner, nspacl::text from pg_namespace where nspname !~ '^pg_temp') n) as schemas,
      (select json_agg(d order by oid) from (select oid, defaclacl::text from pg_default_acl) d) as defaults,
      (select count(*) from pg_auth_members) as memberships`;
  const before = await state();
  await bootstrapDatabase(database.adminUrl);
  expect([...(await state())]).toEqual([...before]);
});
