import type { SupabaseClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keys, type LocalProject, localProject, tokenFor } from "./local-project.ts";

const sub = "5b0c2a52-0a75-4d29-8b1c-4f1b6e8f4f10";
let project: LocalProject;
let user: SupabaseClient;

beforeAll(async () => {
  project = await localProject(
    `
    create schema recorder_api;
    grant usage on schema recorder_api to authenticated;
    create function public.context() returns jsonb language sql volatile as $$
      select jsonb_build_object(
        'user', current_user, 'uid', auth.uid(), 'role', auth.role(), 'claims', auth.jwt(),
        'legacy', nullif(current_setting('request.jwt.claim.sub', true), ''),
        'method', current_setting('request.method'), 'path', current_setting('request.path'),
        'agent', current_setting('request.headers')::jsonb ->> 'user-agent',
        'search_path', current_setting('search_path'), 'timeout', current_setting('statement_timeout'),
        'read_only', current_setting('transaction_read_only')) $$;
    create function recorder_api.context() returns jsonb language sql as 'select public.context()';
    create table public.notes (
      id int primary key, at timestamptz, plain timestamp, times timestamptz[], bytes bytea, amount numeric, big bigint
    );
    grant all on public.notes to authenticated;
    insert into public.notes values (1, '2026-11-22 14:33:33.5+00', '2026-11-22 14:33:33', '{infinity}', '\\x01ff', 1.5, 7);
    create function public.nap(seconds float) returns void language sql as 'select pg_sleep(seconds)';
    create function public.look() returns text language sql stable as 'select current_setting(''transaction_read_only'')';
    create function public.add_note(new_id int) returns void language sql as
      'insert into public.notes (id) values (new_id)';`,
    { schemas: ["public", "recorder_api"] },
  );
  await project.admin`alter role anon set statement_timeout = '150ms'`;
  user = project.client({ token: await tokenFor({ sub, app_metadata: { kind: "mentor" } }) });
});
afterAll(() => project.stop());

describe("A request's transaction", () => {
  test("runs as the token's role with its claims, its method, path and headers, and the role's own time limit", async () => {
    const { data } = await user.rpc("context");
    expect(data).toMatchObject({
      user: "authenticated",
      uid: sub,
      role: "authenticated",
      claims: { sub, role: "authenticated", app_metadata: { kind: "mentor" } },
      legacy: null,
      method: "POST",
      path: "/rpc/context",
      agent: "node",
      search_path: '"public", public, extensions',
      timeout: "8s",
      read_only: "off",
    });
  });
  test("runs as anon with the publishable key and as service_role with the secret key, without a user", async () => {
    expect((await project.client().rpc("context")).data).toMatchObject({
      user: "anon",
      uid: null,
      claims: { role: "anon" },
    });
    const service = project.client({ key: keys.secretKey });
    expect((await service.rpc("context")).data).toMatchObject({
      user: "service_role",
      uid: null,
      claims: { role: "service_role" },
    });
  });
  test("looks into the schema that the request names first", async () => {
    const { data } = await user.schema("recorder_api").rpc("context");
    expect(data.search_path).toBe('"recorder_api", public, extensions');
  });
  test("ends a statement at the role's limit, which was raised or lowered with ALTER ROLE", async () => {
    const { error, status } = await project.client().rpc("nap", { seconds: 5 });
    expect([status, error]).toMatchObject([
      500,
      { code: "57014", message: "canceling statement due to statement timeout" },
    ]);
  });
  test("is read-only for GET and for a stable function, and a GET that writes is 405", async () => {
    expect((await user.rpc("look")).data).toBe("on");
    const { error, status } = await user.rpc("add_note", { new_id: 9 }, { get: true });
    expect([status, error?.code]).toEqual([405, "25006"]);
    expect((await user.rpc("add_note", { new_id: 9 })).error).toBeNull();
  });
  test("refuses an update and a delete of all rows", async () => {
    for (const all of [user.from("notes").update({ big: 1 }), user.from("notes").delete()]) {
      expect((await all).error?.code).toBe("21000");
    }
  });
});

describe("Values", () => {
  test("come in PostgREST's form", async () => {
    const { data } = await user.from("notes").select().eq("id", 1).single();
    expect(data).toEqual({
      id: 1,
      at: "2026-11-22T14:33:33.5+00:00",
      plain: "2026-11-22T14:33:33",
      times: ["infinity"],
      bytes: "\\x01ff",
      amount: 1.5,
      big: 7,
    });
  });
  test("go back in unchanged", async () => {
    const { data: note } = await user.from("notes").select().eq("id", 1).single();
    const { data, error } = await user
      .from("notes")
      .insert({ ...note, id: 2 })
      .select()
      .single();
    expect(error).toBeNull();
    expect(data).toEqual({ ...note, id: 2 });
  });
});

describe("A changed schema", () => {
  test("is known at once: a new table, then a new column, then neither", async () => {
    expect((await user.from("later").select()).error?.code).toBe("PGRST205");
    await project.sql`create table public.later (id int)`;
    await project.sql`grant all on public.later to authenticated`;
    await expect.poll(async () => (await user.from("later").select()).error).toBeNull();
    expect((await user.from("later").insert({ id: 1, word: "a" })).error?.code).toBe("PGRST204");
    await project.sql`alter table public.later add column word text`;
    await expect.poll(async () => (await user.from("later").insert({ id: 1, word: "a" })).error).toBeNull();
    await project.sql`drop table public.later`;
    await expect.poll(async () => (await user.from("later").select()).error?.code).toBe("PGRST205");
  });
});
