import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../postgres/testing.ts";
import { type Bench, openBench, openTarget, type Target } from "./bench.ts";

let server: TestServer;
let bench: Bench;
let target: Target;

beforeAll(async () => {
  server = await startTestServer();
  bench = await openBench(server);
  target = await openTarget();
});
afterAll(async () => {
  await bench?.close();
  await target?.close();
  await server?.stop();
});

test("it is installed by postgres, which is no superuser, and its objects belong to supabase_admin in schema net", async () => {
  const [who] = await bench.sql`select rolsuper from pg_roles where rolname = current_user`;
  expect(who).toEqual({ rolsuper: false });
  const [extension] = await bench.sql`
    select extversion, extnamespace::regnamespace::text as schema from pg_extension where extname = 'pg_net'`;
  expect(extension).toEqual({ extversion: "0.20.4", schema: "extensions" });
  const owners = await bench.sql`
    select distinct pg_get_userbyid(relowner) as owner from pg_class where relnamespace = 'net'::regnamespace`;
  expect(owners.map(({ owner }) => owner)).toEqual(["supabase_admin"]);
});

test("both tables are unlogged and have the documented columns", async () => {
  const tables = await bench.sql`
    select relname, relpersistence, string_agg(attname || ' ' || format_type(atttypid, atttypmod)
      || case when attnotnull then ' not null' else '' end, ', ' order by attnum) as columns
    from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0
    where relnamespace = 'net'::regnamespace and relkind = 'r'
    group by relname, relpersistence order by relname`;
  expect(tables).toEqual([
    {
      relname: "_http_response",
      relpersistence: "u",
      columns:
        "id bigint, status_code integer, content_type text, headers jsonb, content text, timed_out boolean, error_msg text, created timestamp with time zone not null",
    },
    {
      relname: "http_request_queue",
      relpersistence: "u",
      columns:
        "id bigint not null, method net.http_method not null, url text not null, headers jsonb, body bytea, timeout_milliseconds integer not null",
    },
  ]);
});

test("the functions have the real ones' parameters and defaults, and none is a security definer", async () => {
  const functions = await bench.sql`
    select proname || '(' || pg_get_function_arguments(oid) || ') ' || pg_get_function_result(oid) as signature
    from pg_proc where pronamespace = 'net'::regnamespace and proname not like '\\_%' order by 1`;
  expect(functions.map(({ signature }) => signature)).toEqual([
    "check_worker_is_up() void",
    "http_collect_response(request_id bigint, async boolean DEFAULT true) net.http_response_result",
    "http_delete(url text, params jsonb DEFAULT '{}'::jsonb, headers jsonb DEFAULT '{}'::jsonb, timeout_milliseconds integer DEFAULT 5000, body jsonb DEFAULT NULL::jsonb) bigint",
    "http_get(url text, params jsonb DEFAULT '{}'::jsonb, headers jsonb DEFAULT '{}'::jsonb, timeout_milliseconds integer DEFAULT 5000) bigint",
    `http_post(url text, body jsonb DEFAULT '{}'::jsonb, params jsonb DEFAULT '{}'::jsonb, headers jsonb DEFAULT '{"Content-Type": "application/json"}'::jsonb, timeout_milliseconds integer DEFAULT 5000) bigint`,
    "wait_until_running() void",
    "wake() void",
    "worker_restart() boolean",
  ]);
  const definers = await bench.sql`
    select proname from pg_proc where pronamespace = 'net'::regnamespace and prosecdef`;
  expect(definers).toHaveLength(0);
});

test("a role without any grant of its own can enqueue, and reads what others sent; it cannot see that the worker is up", async () => {
  await bench.startWorker({ restMs: 10 });
  const url = new URL(bench.database.adminUrl);
  const admin = postgres(url.href, { max: 1, onnotice: () => undefined });
  try {
    await admin`create role nobody_special login password 'nobody'`;
    const nobody = postgres(Object.assign(url, { username: "nobody_special", password: "nobody" }).href, {
      max: 1,
    });
    try {
      await nobody`select net.http_post(${`${target.url}/from-nobody`}, headers => '{"x-secret": "s3cret"}')`;
      const [arrival] = await target.arrived(1);
      expect(arrival?.headers["x-secret"]).toBe("s3cret");
      await expect.poll(() => nobody`select id from net._http_response`).toHaveLength(1);
      // backend_type is hidden from it, so the real function, too, says no.
      await expect(nobody`select net.check_worker_is_up()`).rejects.toThrow(
        "the pg_net background worker is not up",
      );
      await expect(bench.sql`select net.check_worker_is_up()`).resolves.toHaveLength(1);
    } finally {
      await nobody.end();
    }
  } finally {
    await admin`drop role if exists nobody_special`;
    await admin.end();
  }
});

test("postgres can neither add tables to the schema net nor switch on row level security there", async () => {
  await expect(bench.sql`create table net.mine (id int)`).rejects.toMatchObject({ code: "42501" });
  await expect(bench.sql`alter table net.http_request_queue enable row level security`).rejects.toMatchObject(
    {
      code: "42501",
    },
  );
});
