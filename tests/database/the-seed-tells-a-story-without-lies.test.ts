import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prepareDatabase } from "../../local/postgres/prepare.ts";
import { startTestServer, type TestServer } from "../../local/postgres/testing.ts";
import { quietLog } from "../../local/stack/part.ts";

const SUPABASE = fileURLToPath(new URL("../../supabase/", import.meta.url));

let server: TestServer;
let sql: postgres.Sql;

beforeAll(async () => {
  server = await startTestServer();
  const database = await server.createDatabase({
    prepare: ({ adminUrl, postgresUrl }) =>
      prepareDatabase({
        adminUrl,
        postgresUrl,
        migrationsDir: join(SUPABASE, "migrations"),
        seedFile: join(SUPABASE, "seed.sql"),
        vaultSecrets: {},
        log: quietLog,
      }),
  });
  sql = postgres(database.postgresUrl, { max: 1, onnotice: () => undefined });
});
afterAll(async () => {
  await sql.end();
  await server.stop();
});

const column = async (query: postgres.PendingQuery<postgres.Row[]>) => (await query).map((row) => row.value);

test("it has calls in every state and a failure of each blame", async () => {
  expect(await column(sql`select distinct status as value from public.video_calls order by 1`)).toEqual([
    "active",
    "ended",
    "failed",
  ]);
  expect(
    await column(
      sql`select distinct recording_status as value from public.video_calls order by 1 nulls last`,
    ),
  ).toEqual(["expired", "failed", null]);
  expect(
    await column(
      sql`select distinct error ->> 'blame' as value from public.recordings where error is not null order by 1`,
    ),
  ).toEqual(["configuration", "engine", "storage", "us", "user"]);
});

test("no recording claims a recorder or a file, and no work is left over", async () => {
  expect(await sql`select id from public.recordings where status not in ('failed', 'expired')`).toHaveLength(
    0,
  );
  expect(await sql`select id from public.recording_files`).toHaveLength(0);
  expect(await sql`select id from recorder.jobs`).toHaveLength(0);
  const [before] =
    await sql`select md5(string_agg(r::text, '' order by r.id)) as hash from public.recordings r`;
  await sql`select recorder.sweep()`;
  expect(
    (await sql`select md5(string_agg(r::text, '' order by r.id)) as hash from public.recordings r`)[0],
  ).toEqual(before);
});

test("every call mirrors its newest recording, and newer recordings have newer versions", async () => {
  expect(
    await sql`
      select c.id from public.video_calls c
      left join lateral (
        select r.* from public.recordings r where r.call_id = c.id order by r.created_at desc limit 1) r on true
      where (c.recording_id, c.recording_status, c.recording_error) is distinct from (r.id, r.status, r.error)`,
  ).toHaveLength(0);
  expect(
    await column(sql`select right(id::text, 1) as value from public.recordings order by version`),
  ).toEqual(
    await column(sql`select right(id::text, 1) as value from public.recordings order by requested_at`),
  );
});

test("each story is a chain of moves that the transition table allows, up to the recording's status", async () => {
  expect(
    await sql`select from public.recordings r where not exists (
      select from public.recording_events e where e.recording_id = r.id and e.to_status = r.status)`,
  ).toHaveLength(0);
  const moves = sql`
    select e.recording_id, e.event, e.from_status, e.to_status,
      lag(e.to_status) over story as status_before, lead(e.id) over story is null as is_last
    from public.recording_events e window story as (partition by e.recording_id order by e.id)`;
  expect(
    await sql`
      with moves as (${moves})
      select m.* from moves m join public.recordings r on r.id = m.recording_id
      where m.from_status is distinct from m.status_before
        or m.is_last and m.to_status <> r.status
        or m.event <> 'recording.requested' and not exists (
          select from recorder.transitions t
          where (t.event, t.from_status, t.to_status) = (m.event, m.from_status, m.to_status))`,
  ).toEqual([]);
});

test("Auth of a hosted project can read every account", async () => {
  expect(
    await sql`
      select email from auth.users
      where num_nulls(confirmation_token, recovery_token, email_change, email_change_token_new) > 0`,
  ).toEqual([]);
});
