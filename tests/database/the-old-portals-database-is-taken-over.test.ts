/** The migrations on the old portal's database, in its two variants, with rows in every status it ever wrote. */
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SqlFileError } from "../../local/postgres/migrate.ts";
import { withSession } from "../../local/postgres/session.ts";
import { type Prepare, startTestServer, type TestServer } from "../../local/postgres/testing.ts";
import {
  ACTIVE_MENTORSHIP,
  callId,
  emptyProject,
  type Row,
  rightsIn,
  rowsOf,
  shapeOf,
  takeOver,
  withoutRecordingColumns,
  withRecordingColumns,
} from "./old-portal/old-portal.ts";

const CLAIM_COLUMNS = [
  "recording_status",
  "recording_url",
  "recording_key",
  "recording_size",
  "recording_duration_seconds",
  "recording_metadata",
] as const;
/** Calls 6 and 7 began a year ago and never ended. */
const ABANDONED = [callId(6), callId(7)];

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

/** A database of its own, taken over from `prepare`'s state, with what it was before. */
async function takenOver(prepare: Prepare) {
  const database = await server.createDatabase({ prepare });
  const look = () =>
    withSession(database.postgresUrl, async (sql) => ({ ...(await rowsOf(sql)), ...(await shapeOf(sql)) }));
  const before = await look();
  await takeOver(database);
  return { database, before, after: await look() };
}

/** The rows of `after` reduced to the columns that `before` had. */
function oldColumnsOf(before: Row[], after: Row[]): Row[] {
  return after.map((row, index) =>
    Object.fromEntries(Object.keys(before[index] ?? {}).map((column) => [column, row[column]])),
  );
}

const variants = [
  { name: "without the recording columns", prepare: withoutRecordingColumns },
  { name: "with the recording columns", prepare: withRecordingColumns },
];

describe.each(variants)("on the database $name", ({ prepare }) => {
  let state: Awaited<ReturnType<typeof takenOver>>;
  let sql: postgres.Sql;
  beforeAll(async () => {
    state = await takenOver(prepare);
    sql = postgres(state.database.postgresUrl, { max: 1, onnotice: () => undefined });
  });
  afterAll(() => sql.end());

  test("every column keeps its name, type, default and right to be empty", () => {
    const { before, after } = state;
    expect(before.columns.length).toBeGreaterThan(20);
    expect(after.columns).toEqual(expect.arrayContaining(before.columns));
  });

  test("no table, index, constraint, trigger or function is made again or changed", () => {
    const { before, after } = state;
    expect(before.things.length).toBeGreaterThan(15);
    expect(after.things).toEqual(expect.arrayContaining(before.things));
  });

  test("the people and their mentorships stay as they were", () => {
    const { before, after } = state;
    expect(oldColumnsOf(before.people, after.people)).toEqual(before.people);
  });

  test("every call stays as it was, to its updated_at, but for claims and for calls that were left open", () => {
    const { before, after } = state;
    const told = (call: Row) =>
      Object.fromEntries(
        Object.entries(call).filter(([column]) => !CLAIM_COLUMNS.some((name) => name === column)),
      );
    const expected = before.calls
      .map(told)
      .map((call) => (ABANDONED.includes(String(call.id)) ? { ...call, status: "ended" } : call));
    expect(oldColumnsOf(expected, after.calls)).toEqual(expected);
  });

  test("every call has the channel where old clients meet", () => {
    for (const call of state.after.calls) expect(call.channel).toBe(call.mentorship_id);
  });

  test("what a row claimed is kept word for word", async () => {
    const claims = await sql<
      Row[]
    >`select to_jsonb(o) as claim from recorder.old_claims o order by o.call_id`;
    const kept = state.before.calls
      .filter(
        (call) =>
          ABANDONED.includes(String(call.id)) ||
          CLAIM_COLUMNS.some((column) => {
            const value = call[column] ?? null;
            return value !== null && value !== "not_recorded";
          }),
      )
      .map((call) => ({
        call_id: call.id,
        call_status: call.status,
        ...Object.fromEntries(CLAIM_COLUMNS.map((column) => [column, call[column] ?? null])),
      }));
    expect(claims.map((row) => row.claim)).toEqual(kept.map((row) => expect.objectContaining(row)));
  });

  test("nobody is told and nothing is set to work", async () => {
    expect(await sql`select from realtime.messages`).toHaveLength(0);
    expect(await sql`select from net.http_request_queue`).toHaveLength(0);
    expect(await sql`select from recorder.jobs`).toHaveLength(0);
  });

  test("nobody may do more than on an empty project, whatever the project gives away by default", async () => {
    const empty = await server.createDatabase({ prepare: emptyProject });
    await takeOver(empty);
    const allowed = await withSession(empty.postgresUrl, rightsIn);
    const rights = await rightsIn(sql);
    expect(allowed).toContain("authenticated: SELECT on table video_calls");
    expect(rights).toEqual(expect.arrayContaining(allowed));
    // The service key keeps what it had on the old tables; it was never held back by anything else.
    const old = /^service_role: \w+ on table (instructors|mentees|mentorships|video_calls|alumni_\w+)$/;
    expect(rights.filter((line) => !allowed.includes(line) && !old.test(line))).toEqual([]);
    expect(rights).toContain("service_role: SELECT on table alumni_export");
  });
});

describe("an old row about a recording", () => {
  let sql: postgres.Sql;
  let calls: Map<string, Row>;
  beforeAll(async () => {
    const { database, after } = await takenOver(withRecordingColumns);
    sql = postgres(database.postgresUrl, { max: 1, onnotice: () => undefined });
    calls = new Map(after.calls.map((call) => [String(call.id), call]));
  });
  afterAll(() => sql.end());

  test.each([
    { number: 1, word: "recorded", code: "never_recorded", story: "recorded" },
    { number: 9, word: "recorded with nothing beside it", code: "never_recorded", story: "recorded" },
    { number: 2, word: "recording on an ended call", code: "never_finished", story: "recording" },
    { number: 6, word: "recording on a call that never ended", code: "never_finished", story: "recording" },
    { number: 13, word: "recording on a call that goes on", code: "never_finished", story: "recording" },
    { number: 3, word: "failed", code: "failed_in_old_portal", story: "failed" },
    { number: 8, word: "failed on a failed call", code: "failed_in_old_portal", story: "failed" },
    { number: 10, word: "a word of nobody's", code: "old_status_unknown", story: "unknown" },
    { number: 11, word: "a word of ours, years too early", code: "old_status_unknown", story: "unknown" },
  ])("that says $word becomes a failed recording, $code", async ({ number, code, story }) => {
    const [recording, ...more] = await sql`select * from public.recordings where call_id = ${callId(number)}`;
    expect(more).toEqual([]);
    const call = calls.get(callId(number));
    const [people] = await sql`
      select m.instructor_id, m.mentee_id from public.mentorships m where m.id = ${String(call?.mentorship_id)}`;
    expect(recording).toMatchObject({
      status: "failed",
      error: { code, blame: "us", retry: "never", message: expect.stringContaining("old portal") },
      ...people,
      mentorship_id: call?.mentorship_id,
      requested_by: null,
      started_at: null,
      stopped_at: null,
      duration_ms: null,
      size_bytes: null,
      stored_bytes: null,
      expires_at: null,
    });
    expect(recording?.requested_at).toEqual(new Date(String(call?.start_time)));
    expect(call).toMatchObject({
      recording_id: recording?.id,
      recording_status: "failed",
      recording_error: { code },
      recording_url: null,
      recording_key: null,
      recording_size: null,
      recording_duration_seconds: null,
    });
    expect(JSON.stringify(call?.recording_metadata)).not.toMatch(/agora|stopError/);
    const events = await sql`
      select actor, event, from_status, to_status, detail from public.recording_events
      where recording_id = ${String(recording?.id)}`;
    expect([...events]).toEqual([
      {
        actor: "system",
        event: "recording.taken_over",
        from_status: null,
        to_status: "failed",
        detail: { error: code, old_status: story },
      },
    ]);
    expect(
      await sql`select call_id from recorder.old_claims where recording_id = ${String(recording?.id)}`,
    ).toEqual([{ call_id: callId(number) }]);
  });

  test.each([
    { number: 4, word: "not_recorded", status: "not_recorded" },
    { number: 5, word: "nothing", status: null },
    { number: 7, word: "nothing, on a call that never ended", status: null },
    { number: 12, word: "an address without a word", status: null },
    { number: 14, word: "nothing, on a call that goes on", status: null },
  ])("that says $word becomes no recording", async ({ number, status }) => {
    expect(await sql`select from public.recordings where call_id = ${callId(number)}`).toHaveLength(0);
    expect(calls.get(callId(number))).toMatchObject({
      recording_id: null,
      recording_status: status,
      recording_url: null,
      recording_key: null,
      recording_error: null,
    });
  });

  test("cannot come back: the column takes no unknown word any more, from anybody", async () => {
    const write = sql.begin(async (transaction) => {
      await transaction`set local role recorder_owner`;
      await transaction`update public.video_calls set recording_status = 'uploading' where id = ${callId(10)}`;
    });
    await expect(write).rejects.toMatchObject({
      code: "23514",
      constraint_name: "video_calls_recording_status_check",
    });
  });
});

describe("the old portal goes on working", () => {
  const movedIn: Prepare = async (urls) => {
    await withRecordingColumns(urls);
    await takeOver(urls);
  };

  /** One transaction of the service key, as PostgREST makes it. */
  const asService = (sql: postgres.Sql, act: (sql: postgres.TransactionSql) => Promise<Row[]>) =>
    sql.begin(async (transaction) => {
      await transaction`set local role service_role`;
      return [...(await act(transaction))];
    });

  test("a record pressed on a call that goes on begins a real recording, and touches no old row", async () => {
    const { postgresUrl } = await server.createDatabase({ prepare: movedIn });
    await withSession(postgresUrl, async (sql) => {
      const [pressed] = await asService(
        sql,
        (key) => key`
          update public.video_calls
          set recording_status = 'recording', recording_key = 'recordings/made/up.mp4', recording_metadata = '{"uid": "1"}'
          where id = ${callId(13)} returning recording_status, recording_key, recording_id`,
      );
      expect(pressed).toMatchObject({ recording_status: "starting", recording_key: null });
      const followers =
        await sql`select id from public.video_calls where recording_status = 'starting' order by id`;
      expect(followers.map((row) => row.id)).toEqual([callId(13), callId(14)]);
      const [left] = await asService(
        sql,
        (key) => key`
          update public.video_calls
          set status = 'ended', end_time = now(), duration_seconds = 600, recording_status = 'failed'
          where id = ${callId(13)} returning recording_id, recording_error`,
      );
      expect(left).toMatchObject({
        recording_id: pressed?.recording_id,
        recording_error: { code: "stopped_before_start" },
      });
    });
  });

  test("a new call gets its id, its channel and its updated_at as before", async () => {
    const { postgresUrl } = await server.createDatabase({ prepare: movedIn });
    await withSession(postgresUrl, async (sql) => {
      const [call] = await asService(
        sql,
        (key) => key`
          insert into public.video_calls (mentorship_id, status, participants, updated_at)
          values (${ACTIVE_MENTORSHIP}, 'active', '{}', '2025-01-01') returning *`,
      );
      expect(call).toMatchObject({ channel: ACTIVE_MENTORSHIP, recording_status: null });
      const [ended] = await asService(
        sql,
        (key) =>
          key`update public.video_calls set status = 'ended' where id = ${String(call?.id)} returning updated_at > now() - interval '1 minute' as stamped`,
      );
      expect(ended).toEqual({ stamped: true });
    });
  });

  test("who joins gets a new call, not one that was left open a year ago", async () => {
    const { postgresUrl } = await server.createDatabase({ prepare: movedIn });
    await withSession(postgresUrl, async (sql) => {
      const mentor = "a0000000-0000-4000-8000-000000000001";
      await sql`insert into auth.users (id, aud, role, email) values (${mentor}, 'authenticated', 'authenticated', 'a@example.com')`;
      await sql`update public.instructors set user_id = ${mentor} where discord_id = '10001'`;
      await sql`update public.video_calls set status = 'ended' where id in ${sql([callId(13), callId(14)])}`;
      const joined = await sql.begin(async (transaction) => {
        await transaction`select set_config('request.jwt.claims', ${JSON.stringify({ sub: mentor, role: "authenticated" })}, true)`;
        await transaction`set local role authenticated`;
        return transaction`select (public.join_call(${ACTIVE_MENTORSHIP})).start_time > now() - interval '1 minute' as is_new`;
      });
      expect([...joined]).toEqual([{ is_new: true }]);
    });
  });

  /** What the control lane reports when the engine has come: start is acquired, sent, confirmed. */
  const confirmEngine = async (sql: postgres.Sql, recordingId: string) => {
    const [task] = await sql`
      select recorder_api.begin_attempt(${recordingId}, now() + interval '1 day') ->> 'id' as id`;
    const steps = [
      ["task.acquired", { resource_id: "resource" }],
      ["task.started", { sid: "a".repeat(32) }],
      ["task.confirmed", { started_at: new Date().toISOString() }],
    ] as const;
    for (const [event, facts] of steps)
      await sql`select recorder_api.report(${String(task?.id)}, ${event}, ${sql.json(facts)})`;
  };

  test.each([
    { state: "waits for a recorder", isRecording: false, status: "failed", jobs: 0 },
    { state: "is being recorded", isRecording: true, status: "stopping", jobs: 1 },
  ])("deleting a mentorship whose call $state stops that and loses no recording", async (expected) => {
    const { postgresUrl } = await server.createDatabase({ prepare: movedIn });
    await withSession(postgresUrl, async (sql) => {
      const [pressed] = await asService(
        sql,
        (key) => key`
          update public.video_calls set recording_status = 'recording' where id = ${callId(13)} returning recording_id`,
      );
      const recordingId = String(pressed?.recording_id);
      if (expected.isRecording) await confirmEngine(sql, recordingId);
      const others = async () => [
        ...(await sql`select id, status, error from public.recordings where id <> ${recordingId} order by id`),
      ];
      const before = await others();
      // One statement of Postgres' own deletes all calls: the guard must not touch a row that goes with it.
      await asService(sql, (key) => key`delete from public.mentorships where id = ${ACTIVE_MENTORSHIP}`);
      expect(await sql`select from public.video_calls where mentorship_id = ${ACTIVE_MENTORSHIP}`).toEqual(
        [],
      );
      expect(await others()).toEqual(before);
      const [recording] = await sql`select * from public.recordings where id = ${recordingId}`;
      expect(recording).toMatchObject({
        status: expected.status,
        stop_reason: "call_deleted",
        call_id: null,
        mentorship_id: null,
        instructor_id: expect.any(String),
        mentee_id: expect.any(String),
      });
      expect(
        await sql`select from recorder.jobs where kind = 'stop' and state = 'queued' and recording_id = ${recordingId}`,
      ).toHaveLength(expected.jobs);
      expect(await sql`select from recorder.old_claims where call_id = ${callId(1)}`).toHaveLength(1);
    });
  });
});

describe("a policy that the old database brings along", () => {
  const withPolicy = async (policy: string) => {
    const database = await server.createDatabase({ prepare: withRecordingColumns });
    await withSession(database.postgresUrl, (sql) => sql.unsafe(policy));
    return database;
  };

  test.each([
    { table: "video_calls", policy: `create policy "Enable read access" on public.video_calls using (true)` },
    {
      table: "mentees",
      policy: `create policy open on public.mentees for select to authenticated using (true)`,
    },
  ])("and nobody knows stops the migrations, naming it, on $table", async ({ table, policy }) => {
    const database = await withPolicy(policy);
    const refusal = await takeOver(database).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(SqlFileError);
    const name = /policy ("?[^"]+"?) on/.exec(policy)?.[1] ?? "";
    expect(String(refusal)).toContain("policy_unknown");
    expect(String(refusal)).toContain("SQLSTATE RC405");
    expect(String(refusal)).toContain(`drop policy ${name} on ${table}`);
    await withSession(database.postgresUrl, async (sql) => {
      expect(await sql`select to_regclass('public.recordings') as made`).toEqual([{ made: null }]);
      await sql.unsafe(`drop policy ${name} on public.${table}`);
    });
    // Once it is gone the push goes on where it stopped.
    expect((await takeOver(database)).length).toBeGreaterThan(10);
  });

  test("for the service key alone, or that only narrows, is left alone", async () => {
    const database = await withPolicy(`
      create policy service on public.video_calls to service_role using (true);
      create policy narrow on public.video_calls as restrictive using (true)`);
    await takeOver(database);
    await withSession(database.postgresUrl, async (sql) => {
      const policies =
        await sql`select policyname from pg_policies where policyname in ('service', 'narrow')`;
      expect(policies).toHaveLength(2);
    });
  });
});
