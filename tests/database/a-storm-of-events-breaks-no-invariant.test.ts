/**
 * Thousands of random, repeated and reordered events, wishes, claims, deadlines and sweeps from several connections at
 * once; afterwards nothing may lie, and nobody may have been told of a deadlock.
 */
import fc from "fast-check";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestDatabase, type TestServer } from "../../local/postgres/testing.ts";
import { actAs, connect, makePair, type Pair, withMigrations } from "./recorder-database.ts";
import { AUDIT, brokenInvariants } from "./storm/invariants.ts";
import { createActor, type Step, step } from "./storm/steps.ts";

const CONNECTIONS = 8;
const PAIRS = 4;
const STORMS = Number(process.env.STORMS ?? 3);
const STEPS = 1_000;

let server: TestServer;
let database: TestDatabase;
let admin: postgres.Sql;
let actors: postgres.Sql[];

beforeAll(async () => {
  server = await startTestServer();
  database = await server.createDatabase({ prepare: withMigrations });
  admin = connect(database.postgresUrl);
  await admin.unsafe(AUDIT);
  // A waiting sweep, slot or ceiling would only thin the storm out.
  await admin`update recorder.settings set value = 1000 where name in ('requests_per_second', 'drains_per_lane')`;
  await admin`update recorder.settings set value = 0 where name in ('retry_first_delay', 'confirm_delay', 'stop_again_after')`;
  actors = Array.from({ length: CONNECTIONS }, () => connect(database.postgresUrl));
});

afterAll(async () => {
  await Promise.all([admin, ...actors].map((sql) => sql.end()));
  await server.stop();
});

/** What came of a step that was not simply done. */
interface Upset {
  step: Step;
  code: string;
  message: string;
  /** Who waited for whom, where that is what went wrong. */
  detail: string;
}

async function rage(steps: Step[], pairs: Pair[]): Promise<Upset[]> {
  const upsets: Upset[] = [];
  const queue = [...steps];
  await Promise.all(
    actors.map(async (sql) => {
      const actor = createActor(sql, pairs);
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        try {
          await actor.take(next);
        } catch (error) {
          if (!(error instanceof postgres.PostgresError)) throw error;
          const detail = `${error.detail ?? ""} ${error.where ?? ""}`;
          upsets.push({ step: next, code: error.code, message: error.message, detail });
        }
      }
    }),
  );
  return upsets;
}

test("nothing lies after a storm, and nobody was told of a deadlock", async () => {
  const codes = new Map<string, number>();
  const outcome = await fc.check(
    fc.asyncProperty(fc.array(step, { minLength: STEPS, maxLength: STEPS }), async (steps) => {
      const pairs: Pair[] = [];
      for (let n = 0; n < PAIRS; n++) pairs.push(await makePair(admin));
      const upsets = await rage(steps, pairs);
      for (const { code } of upsets) codes.set(code, (codes.get(code) ?? 0) + 1);
      // The only errors that anybody may see are refusals with a code of ours.
      const strange = upsets.filter(({ code }) => !code.startsWith("RC"));
      expect(strange.map((upset) => JSON.stringify(upset)).slice(0, 5)).toEqual([]);

      // The first sweep ends what died, the second what followed from it.
      for (let n = 0; n < 3; n++) await admin`select recorder.sweep()`;
      expect(await brokenInvariants(admin)).toEqual([]);
    }),
    { numRuns: STORMS, endOnFailure: true },
  );
  if (outcome.failed) {
    // A thousand steps say nothing to a person, and shrinking them would meet another timing.
    throw new Error(`the storm of seed ${outcome.seed} broke something`, { cause: outcome.errorInstance });
  }
  const [seen] = await admin`
    select count(distinct status)::int as statuses, count(*)::int as recordings,
      (select count(*)::int from recorder.jobs where state = 'done') as jobs_done,
      (select count(*)::int from recorder.jobs where state = 'dead') as jobs_dead,
      (select count(distinct event)::int from public.recording_events) as events
    from (select status from tests_recording_history) h`;
  // A storm that reached nothing would prove nothing.
  expect(seen?.statuses).toBe(6);
  expect(seen?.recordings).toBeGreaterThan(50 * STORMS);
  expect(seen?.events).toBeGreaterThan(10);
  expect(codes.get("RC004") ?? 0).toBeGreaterThan(0);
}, 300_000);

test("two people on two rows of one channel press and unpress, beside the engine, without a deadlock", async () => {
  const pair = await makePair(admin);
  const rows = await actAs(
    admin,
    "service_role",
    (as) => as<{ id: string }[]>`
      insert into public.video_calls (mentorship_id) values (${pair.mentorshipId}), (${pair.mentorshipId}) returning id`,
  );
  const codes: string[] = [];
  const endless = ["starting", "stopping", "starting", "recorded"];
  await Promise.all(
    actors.map(async (sql, n) => {
      for (let round = 0; round < 60; round++) {
        const row = rows[(n + round) % 2]?.id ?? null;
        try {
          if (n < 4) {
            const word = endless[round % endless.length] ?? null;
            const userId = n % 2 === 0 ? pair.mentorUserId : pair.menteeUserId;
            await actAs(
              sql,
              { userId },
              (as) => as`update public.video_calls set recording_status = ${word} where id = ${row}`,
            );
          } else {
            // The engine room, which knows recordings and no rows of calls.
            await sql`
              select recorder.apply(r.id, e.event, 'engine') from public.recordings r
              cross join unnest(array['engine.requested', 'engine.confirmed', 'engine.gone', 'files.empty']) e (event)
              where r.mentorship_id = ${pair.mentorshipId} and r.deadline_at is not null`;
          }
        } catch (error) {
          if (!(error instanceof postgres.PostgresError)) throw error;
          codes.push(error.code);
        }
      }
    }),
  );
  expect(codes.filter((code) => code !== "RC004")).toEqual([]);
  await admin`select recorder.sweep()`;
  const shown = await admin`
    select c.recording_version = r.version as is_true from public.video_calls c
    join public.recordings r on r.id = c.recording_id where c.mentorship_id = ${pair.mentorshipId}`;
  expect(shown.map((call) => call.is_true)).toEqual([true, true]);
});
