import type { SupabaseClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keys, type LocalProject, localProject, tokenFor } from "./local-project.ts";

const owner = "5b0c2a52-0a75-4d29-8b1c-4f1b6e8f4f10";
let project: LocalProject;
let user: SupabaseClient;
let anon: SupabaseClient;
let service: SupabaseClient;
const refused = (message: string) => ({ code: "42501", message });

beforeAll(async () => {
  project = await localProject(
    `
    create table public.calls (
      id int primary key, owner uuid not null, status text, secret text, at timestamptz default now()
    );
    alter table public.calls enable row level security;
    create policy own on public.calls to authenticated
      using (owner = (select auth.uid())) with check (owner = (select auth.uid()));
    grant select on public.calls to authenticated;
    grant update (status) on public.calls to authenticated;
    insert into public.calls values (1, '${owner}', 'live'), (2, gen_random_uuid(), 'live');
    create table public.without_rls (id int);
    create schema recorder_api;
    grant usage on schema recorder_api to service_role;
    create function recorder_api.ping() returns text language sql as 'select current_user::text';
    create function public.secret_number() returns int language sql as 'select 42';
    revoke execute on function public.secret_number() from public;
    create function public.become(wanted text) returns text language plpgsql as $$
      begin execute format('set local role %I', wanted); return current_user; end $$;`,
    { schemas: ["public", "recorder_api"] },
  );
  user = project.client({ token: await tokenFor({ sub: owner }) });
  anon = project.client();
  service = project.client({ key: keys.secretKey });
});
afterAll(() => project.stop());

describe("What is granted works", () => {
  test("a column with a grant can be updated, on rows that the policy shows", async () => {
    const { data, error } = await user
      .from("calls")
      .update({ status: "ended" })
      .gte("id", 1)
      .select("id, status");
    expect(error).toBeNull();
    expect(data).toEqual([{ id: 1, status: "ended" }]);
  });
  test("service_role may call what its schema and function let it", async () => {
    expect((await service.schema("recorder_api").rpc("ping")).data).toBe("service_role");
  });
});

describe("What is not granted is refused with 42501", () => {
  test("a column without an update grant", async () => {
    const { error, status } = await user.from("calls").update({ secret: "x" }).eq("id", 1);
    expect([status, error]).toMatchObject([403, refused("permission denied for table calls")]);
  });
  test("an insert without a grant, though the policy would let the row in", async () => {
    const { error, status } = await user.from("calls").insert({ id: 3, owner });
    expect([status, error]).toMatchObject([403, refused("permission denied for table calls")]);
  });
  test("a delete without a grant, and the row is still there", async () => {
    const { error, status } = await user.from("calls").delete().eq("id", 1);
    expect([status, error]).toMatchObject([403, refused("permission denied for table calls")]);
    expect((await project.sql`select from calls where id = 1`).length).toBe(1);
  });
  test("anon without a grant gets 401, as hosted answers it", async () => {
    const { error, status } = await anon.from("calls").select();
    expect([status, error]).toMatchObject([401, refused("permission denied for table calls")]);
  });
  test("service_role without a grant: it bypasses policies, not grants (hosted since October 2026)", async () => {
    for (const table of ["calls", "without_rls"]) {
      const { error, status } = await service.from(table).select();
      expect([status, error]).toMatchObject([403, refused(`permission denied for table ${table}`)]);
    }
  });
  test("an rpc in a schema without usage", async () => {
    const { error, status } = await user.schema("recorder_api").rpc("ping");
    expect([status, error]).toMatchObject([403, refused("permission denied for schema recorder_api")]);
  });
  test("an rpc without execute", async () => {
    const { error, status } = await user.rpc("secret_number");
    expect([status, error]).toMatchObject([403, refused("permission denied for function secret_number")]);
  });
  test("a token for a role that is none of the API's", async () => {
    for (const role of ["postgres", "supabase_admin"]) {
      const client = project.client({ token: await tokenFor({ sub: owner, role }) });
      const { error, status } = await client.from("calls").select();
      expect([status, error]).toMatchObject([403, refused(`permission denied to set role "${role}"`)]);
    }
  });
  test("a function that tries to become somebody greater", async () => {
    const { error } = await user.rpc("become", { wanted: "supabase_admin" });
    expect(error).toMatchObject(refused('permission denied to set role "supabase_admin"'));
  });
});

describe("A schema that is not exposed", () => {
  test("is answered 406 PGRST106", async () => {
    const { error, status } = await service.schema("auth").from("users").select();
    expect([status, error]).toMatchObject([406, { code: "PGRST106" }]);
  });
});

describe("The gateway itself", () => {
  const privileges = () => project.admin`
    select grantee, table_schema, table_name, column_name, privilege_type
    from information_schema.column_privileges where table_schema in ('public', 'recorder_api', 'auth')
      and grantee in ('anon', 'authenticated', 'service_role', 'PUBLIC')
    union all
    select grantee, table_schema, table_name, null, privilege_type
    from information_schema.table_privileges where table_schema in ('public', 'recorder_api', 'auth')
      and grantee in ('anon', 'authenticated', 'service_role', 'PUBLIC')
    union all
    select nspname, nspacl::text, null, null, null from pg_namespace where nspname !~ '^pg_'
    union all
    select defaclrole::regrole::text, defaclacl::text, null, null, null from pg_default_acl
    order by 1, 2, 3, 4, 5`;

  test("grants nothing: after many requests of every kind the database's privileges are what they were", async () => {
    const before = [...(await privileges())];
    await project.sql`alter table without_rls enable row level security`;
    for (let round = 0; round < 5; round++) {
      for (const client of [user, anon, service]) {
        await client.from("calls").select();
        await client.from("calls").update({ status: "x" }).eq("id", 1);
        await client.from("without_rls").insert({ id: 1 });
        await client.schema("recorder_api").rpc("ping");
        await client.auth.signInWithPassword({ email: "nobody@example.com", password: "no password" });
      }
    }
    expect([...(await privileges())]).toEqual(before);
    expect(before.filter(({ table_schema }) => table_schema === "auth")).toEqual([]);
  });
});
