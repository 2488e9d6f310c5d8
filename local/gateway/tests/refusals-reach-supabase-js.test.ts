import type { SupabaseClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { restErrorFor } from "../database-errors.ts";
import { keys, type LocalProject, localProject, tokenFor } from "./local-project.ts";

const sub = "5b0c2a52-0a75-4d29-8b1c-4f1b6e8f4f10";
let project: LocalProject;
let user: SupabaseClient;

beforeAll(async () => {
  project = await localProject(`
    create table public.calls (id int primary key, status text check (status <> 'nonsense'), parent int references public.calls);
    grant all on public.calls to authenticated;
    insert into public.calls values (1, 'live');
    create function public.refuse(state text, message text, detail text default null, hint text default null)
    returns void language plpgsql as $$
    begin
      raise exception using errcode = state, message = message, detail = coalesce(detail, 'why'), hint = coalesce(hint, 'then');
    end $$;
    create function public.guard() returns trigger language plpgsql as $$
    begin
      if new.status = 'stopping' then
        raise sqlstate 'PGRST' using
          message = '{"code":"recording_not_live","message":"Nothing is being recorded.","hint":"Start one first."}',
          detail = '{"status":409,"headers":{"X-Reason":"state"}}';
      end if;
      return new;
    end $$;
    create trigger guard before update on public.calls for each row execute function public.guard();
    create function public.check_at_commit() returns trigger language plpgsql as $$
    begin raise exception 'refused at commit'; end $$;
    create table public.checked (id int);
    grant insert on public.checked to authenticated;
    create constraint trigger late after insert on public.checked deferrable initially deferred
      for each row execute function public.check_at_commit();`);
  user = project.client({ token: await tokenFor({ sub }) });
});
afterAll(() => project.stop());

describe("Our own errors (SQLSTATE PGRST)", () => {
  const expected = {
    code: "recording_not_live",
    message: "Nothing is being recorded.",
    hint: "Start one first.",
    details: null,
  };
  test("raised by a trigger arrive with their own code, status and words, and nothing is changed", async () => {
    const { error, status } = await user.from("calls").update({ status: "stopping" }).eq("id", 1);
    expect([status, error]).toMatchObject([409, expected]);
    expect((await project.sql`select status from calls where id = 1`)[0]?.status).toBe("live");
  });
  test("raised by an rpc arrive the same way", async () => {
    const { hint, details, ...message } = expected;
    const { error, status } = await user.rpc("refuse", {
      state: "PGRST",
      message: JSON.stringify({ ...message, details: "d", hint: "h" }),
      detail: JSON.stringify({ status: 422, headers: {} }),
    });
    expect([status, error]).toMatchObject([422, { ...message, details: "d", hint: "h" }]);
  });
  test("may set headers", async () => {
    const answer = await fetch(`${project.url}/rest/v1/calls?id=eq.1`, {
      method: "PATCH",
      headers: {
        apikey: keys.publishableKey,
        authorization: `Bearer ${await tokenFor({ sub })}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ status: "stopping" }),
    });
    expect([answer.status, answer.headers.get("x-reason")]).toEqual([409, "state"]);
  });
});

describe("Errors of the database", () => {
  test.each([
    ["PT409", 409],
    ["P0001", 400],
    ["P0002", 500],
    ["22023", 400],
    ["40001", 500],
    ["53100", 503],
    ["57014", 500],
    ["28000", 403],
  ])("raised as %s arrive with status %i, code, message, details and hint", async (state, expected) => {
    const { error, status } = await user.rpc("refuse", { state, message: "no" });
    expect([status, error]).toMatchObject([
      expected,
      { code: state, message: "no", details: "why", hint: "then" },
    ]);
  });
  test("a violated check is 400 23514, a duplicate and a missing reference are 409", async () => {
    const insert = (row: object) => user.from("calls").insert(row);
    expect(await insert({ id: 2, status: "nonsense" })).toMatchObject({
      status: 400,
      error: { code: "23514" },
    });
    expect(await insert({ id: 1 })).toMatchObject({ status: 409, error: { code: "23505" } });
    expect(await insert({ id: 3, parent: 99 })).toMatchObject({ status: 409, error: { code: "23503" } });
  });
  test("raised at commit by a deferred trigger are answered too", async () => {
    const { error, status } = await user.from("checked").insert({ id: 1 });
    expect([status, error]).toMatchObject([400, { code: "P0001", message: "refused at commit" }]);
  });
  test("a missing right is 401 to anon and 403 to others", () => {
    const error = { code: "42501", message: "permission denied" };
    expect(restErrorFor(error, "anon")?.status).toBe(401);
    expect(restErrorFor(error, "authenticated")?.status).toBe(403);
  });
  test("are one line in the gateway's log", () => {
    expect(project.lines).toContain("POST /checked refused: P0001 refused at commit");
  });
});

describe("Rows", () => {
  test("single() with none is 406 PGRST116, maybeSingle() gives null, an update of none is no error", async () => {
    const none = () => user.from("calls").select().eq("id", 77);
    expect(await none().single()).toMatchObject({ status: 406, error: { code: "PGRST116" } });
    expect(await none().maybeSingle()).toMatchObject({ data: null, error: null });
    expect(await user.from("calls").update({ status: "x" }).eq("id", 77)).toMatchObject({
      status: 204,
      error: null,
    });
  });
});

describe("Tokens", () => {
  const read = (token: string) => project.client({ token }).from("calls").select();
  test("that have expired are 401 PGRST303", async () => {
    const { error, status } = await read(await tokenFor({ sub }, { expiresIn: "-1s" }));
    expect([status, error]).toMatchObject([401, { code: "PGRST303", message: "JWT expired" }]);
  });
  test("that somebody else signed are 401 PGRST301", async () => {
    const { error, status } = await read(
      await tokenFor({ sub }, { secret: "another-secret-of-32-characters!!" }),
    );
    expect([status, error?.code]).toEqual([401, "PGRST301"]);
  });
  test("that are none are 401 PGRST301, and never taken for an anonymous caller", async () => {
    const { error, status } = await read("a.b");
    expect([status, error]).toMatchObject([
      401,
      { code: "PGRST301", message: "Expected 3 parts in JWT; got 2" },
    ]);
  });
  test("are not API keys: another key than the one in apikey is refused", async () => {
    expect(await read(keys.secretKey)).toMatchObject({ status: 401, error: { message: "Invalid API key" } });
  });
});

describe("API keys", () => {
  const get = (headers: Record<string, string>, path = "/rest/v1/calls") =>
    fetch(`${project.url}${path}`, { headers });
  test("a call without one is refused, from this machine too: there is no admin mode", async () => {
    for (const path of ["/rest/v1/calls", "/auth/v1/user"]) {
      const answer = await get({}, path);
      expect(answer.status).toBe(401);
      expect(await answer.json()).toEqual({
        message: "No API key found in request",
        hint: "No `apikey` request header or url param was found.",
      });
    }
  });
  test("a call with only a token, or a key in Authorization alone, is refused in the same way", async () => {
    for (const bearer of [await tokenFor({ sub }), keys.secretKey]) {
      const answer = await get({ authorization: `Bearer ${bearer}` });
      expect([answer.status, (await answer.json()).message]).toEqual([401, "No API key found in request"]);
    }
  });
  test("a key that is not the project's is refused", async () => {
    const answer = await get({ apikey: "sb_publishable_of_another_project" });
    expect([answer.status, (await answer.json()).message]).toEqual([401, "Invalid API key"]);
  });
  test("the secret key is refused from a browser", async () => {
    const answer = await get({ apikey: keys.secretKey, "user-agent": "Mozilla/5.0 (X11; Linux x86_64)" });
    expect([answer.status, (await answer.json()).message]).toEqual([
      401,
      "Forbidden use of secret API key in browser",
    ]);
  });
});

describe("Pages of other origins", () => {
  const preflight = (path: string) =>
    fetch(`${project.url}${path}`, {
      method: "OPTIONS",
      headers: {
        origin: "http://127.0.0.1:5173",
        "access-control-request-method": "POST",
        "access-control-request-headers": "apikey,authorization,content-type,x-client-info",
      },
    });
  test.each([
    "/rest/v1/calls",
    "/rest/v1/rpc/a_function_with_arguments",
    "/auth/v1/token?grant_type=password",
  ])("may call %s", async (path) => {
    const answer = await preflight(path);
    expect(answer.ok).toBe(true);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(answer.headers.get("access-control-allow-methods")).toContain("POST");
    expect(answer.headers.get("access-control-allow-headers")).toContain("x-client-info");
  });
  test("may read answers and refusals", async () => {
    for (const path of [
      "/rest/v1/calls",
      "/rest/v1/rpc/refuse",
      "/auth/v1/settings",
      "/auth/v1/user",
      "/nowhere",
    ]) {
      const answer = await fetch(`${project.url}${path}`, { headers: { apikey: keys.publishableKey } });
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    }
  });
});
