/**
 * Several connections at once, as several workers and the engine's events are: what is asked for while its job still waits is
 * seen by whoever claims it, and the slots that all of them are given together keep within the account's rate.
 */
import { randomUUID } from "node:crypto";
import type postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../local/postgres/testing.ts";
import { actAs, connect, makePair, withMigrations } from "./recorder-database.ts";

const TASKS = 400;
const SENDERS = 2;
const WORKERS = 2;
const STARTS = 40;
const CLAIMS = 8;

let server: TestServer;
let admin: postgres.Sql;
let connections: postgres.Sql[];
let mentorshipId: string;

beforeAll(async () => {
  server = await startTestServer();
  const database = await server.createDatabase({ prepare: withMigrations });
  admin = connect(database.adminUrl);
  connections = Array.from({ length: SENDERS + WORKERS }, () => connect(database.postgresUrl));
  ({ mentorshipId } = await makePair(admin));
});

afterAll(async () => {
  await Promise.all([admin, ...connections].map((sql) => sql.end()));
  await server.stop();
});

interface Claimed {
  id: number;
  lease: string;
  kind: string;
  wait_ms: number;
  engine_account: string;
  requests_per_second: number | null;
  events: { notice_id: string }[] | null;
}

async function work(sql: postgres.Sql, drain: string, finished: postgres.JSONValue[]): Promise<Claimed[]> {
  const [row] = await sql`select recorder_api.work('control', ${drain}, ${sql.json(finished)}) as step`;
  return row?.step.jobs ?? [];
}

/** Calls with a recording each that somebody wants to start. */
async function startMany(count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  await actAs(admin, "service_role", async (sql) => {
    for (const id of ids) {
      const channel = id.replaceAll("-", "");
      await sql`insert into public.video_calls (id, mentorship_id, channel) values (${id}, ${mentorshipId}, ${channel})`;
    }
    await sql`update public.video_calls set recording_status = 'starting' where id = any (${ids})`;
  });
  return ids.map((id) => id.replaceAll("-", ""));
}

test("no event is left lying because it came while its job was being claimed", async () => {
  const channels = await startMany(TASKS);
  await admin`
    insert into recorder.engine_tasks (recording_id, attempt, channel, uid, state, resource_id, sid, start_sent_at, token_expires_at)
    select r.id, 1, r.channel, '4000000001', 'running', r.channel, r.channel, now(), now() + interval '1 day'
    from public.recordings r where r.channel = any (${channels})`;
  await admin`delete from recorder.jobs`;
  await admin`update recorder.lanes set batch = 100`;

  let isSent = false;
  const send = async (sql: postgres.Sql, channel: string) => {
    const event = sql.json({ payload: {} });
    await sql`
      select recorder_api.receive_event(${randomUUID()}, 43, ${channel}, ${channel}, '4000000001', false, ${event})`;
  };
  // The second word about a task comes while the job of the first one waits, or is being claimed, or is at work.
  const [first, second] = connections as [postgres.Sql, postgres.Sql];
  const sending = (async () => {
    for (const channel of channels) await Promise.all([send(first, channel), send(second, channel)]);
    isSent = true;
  })();
  const apply = async (sql: postgres.Sql) => {
    const drain = randomUUID();
    let finished: postgres.JSONValue[] = [];
    for (;;) {
      const wasSent = isSent;
      const jobs = await work(sql, drain, finished);
      finished = [];
      for (const { id, lease, events } of jobs) {
        await sql`select recorder_api.mark_applied(${(events ?? []).map(({ notice_id }) => notice_id)})`;
        finished.push({ id, lease, outcome: "done" });
      }
      if (jobs.length === 0 && wasSent) return;
    }
  };
  await Promise.all([sending, ...connections.slice(SENDERS).map(apply)]);

  const [left] = await admin<{ events: number; waiting: number }[]>`
    select (select count(*)::int from recorder.inbox i where i.applied_at is null) as events,
      (select count(*)::int from recorder.jobs j where j.kind = 'apply_events' and j.state <> 'done') as waiting`;
  expect(left).toEqual({ events: 0, waiting: 0 });
});

test.each([
  { engine: "an account without limits of its own keeps to the setting", own: null, perSecond: 9.5 },
  { engine: "one with a rate of its own keeps to that, and tells it to who asks", own: 4, perSecond: 4 },
])("slots of all workers together: $engine", async ({ own, perSecond }) => {
  await admin`delete from recorder.jobs`;
  // Nobody of an earlier test takes a place.
  await admin`
    update recorder.engine_tasks set state = 'gone', gone_at = now() - interval '1 hour' where state <> 'gone'`;
  await admin`update recorder.engine_accounts set requests_per_second = ${own}, concurrent_tasks = null, next_slot_at = '-infinity'`;
  await startMany(STARTS);
  const [clock] = await admin<{ begun: Date }[]>`select clock_timestamp() as begun`;
  const claimed: Claimed[] = [];
  await Promise.all(
    connections.slice(SENDERS).map(async (sql) => {
      const drain = randomUUID();
      while (claimed.length < CLAIMS) claimed.push(...(await work(sql, drain, [])));
    }),
  );
  expect(new Set(claimed.map(({ engine_account }) => engine_account))).toEqual(new Set(["default"]));
  const rates = claimed.map(({ requests_per_second }) => requests_per_second ?? 0);
  for (const rate of rates) expect(rate).toBeCloseTo(perSecond, 3);
  // A start takes two slots. All that were given out, to whomever, lie one after the other: between the beginning and the next one.
  const [span] = await admin<{ seconds: number }[]>`
    select extract(epoch from a.next_slot_at - ${clock?.begun ?? null}::timestamptz)::float8 as seconds
    from recorder.engine_accounts a`;
  expect(span?.seconds).toBeGreaterThanOrEqual((claimed.length * 2) / perSecond - 0.002);
});
