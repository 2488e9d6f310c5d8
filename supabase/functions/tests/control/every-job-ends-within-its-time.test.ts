import assert from "node:assert/strict";
import { bucketSettings } from "../../_shared/config.ts";
import { controlHandlers } from "../../_shared/control/control-lane.ts";
import { startRequestOf, withoutSecrets } from "../../_shared/control/start-request.ts";
import { createRecorderDatabase } from "../../_shared/jobs/database.ts";
import { drainLane } from "../../_shared/jobs/drain.ts";
import type { Job } from "../../_shared/jobs/job.ts";
import type { LaneDeps } from "../../_shared/jobs/lane.ts";
import { WHOLE } from "../config/environment-for-tests.ts";
import {
  CHANNEL,
  jobForTest,
  RESOURCE_ID,
  recordingForTest,
  SID,
  TASK_ID,
  taskForTest,
  UID,
} from "../jobs/jobs-for-tests.ts";
import { BEGIN_MS, virtualClock } from "../jobs/virtual-clock.ts";
import { EVENTS } from "./events-for-tests.ts";

/** The settings that the database comes with. */
const migration = await Deno.readTextFile(
  new URL("../../../migrations/20261122100400_create_settings_and_errors.sql", import.meta.url),
);
const setting = (name: string) => Number(new RegExp(`\\('${name}', (\\d+),`).exec(migration)?.[1]);
const LONGEST_S = setting("longest_control_call");
const SLOT_AHEAD_MS = setting("slot_horizon");

const settings: Record<string, string> = WHOLE;
const environment = { get: (name: string) => settings[name] };
const NEVER = Number.POSITIVE_INFINITY;
type Side = "database" | "engine" | "bucket";
/** How long each side needs for an answer, ms, and which calls of the database fail all the time. */
interface World extends Record<Side, number> {
  fails?: RegExp;
}

/** A job of the lane in a world that is slow: how long it took, how it ended and what it asked for. */
async function run(job: Job, world: World) {
  const clock = virtualClock({ restMs: 2 });
  const asked: string[] = [];
  const lines: Record<string, unknown>[] = [];

  const answerAfter = (ms: number, signal: AbortSignal | null | undefined, answer: () => Response) =>
    new Promise<Response>((resolve, reject) => {
      const stop = ms === NEVER ? () => {} : clock.after(ms, () => resolve(answer()));
      const abort = () => {
        stop();
        reject(signal?.reason);
      };
      if (signal?.aborted) abort();
      signal?.addEventListener("abort", abort);
    });
  const slowFetch: typeof fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    const name = url.split("?")[0]?.split("/").at(-1) ?? "";
    if (url.startsWith(WHOLE.SUPABASE_URL)) {
      const body = init?.body instanceof Blob ? JSON.parse(await init.body.text()) : {};
      const call = String(body.p_event ?? name);
      asked.push(call);
      if (world.fails?.test(call))
        return answerAfter(world.database, signal, () => new Response("", { status: 502 }));
      const answers: Record<string, unknown> = {
        begin_attempt: {
          id: TASK_ID,
          attempt: 1,
          channel: CHANNEL,
          uid: UID,
          token_expires_at: new Date(BEGIN_MS + 86_400_000).toISOString(),
        },
        mark_applied: 1,
      };
      const answer = answers[name] ?? { status: "starting", attempt: 1, is_won: true };
      return answerAfter(world.database, signal, () => Response.json(answer));
    }
    if (!url.includes("cloud_recording")) {
      asked.push("list");
      return answerAfter(world.bucket, signal, () => new Response("<ListBucketResult></ListBucketResult>"));
    }
    asked.push(name);
    return answerAfter(world.engine, signal, () =>
      Response.json(
        name === "query"
          ? { serverResponse: { status: 5 } }
          : { cname: CHANNEL, uid: UID, resourceId: RESOURCE_ID, sid: SID },
      ),
    );
  };
  const supabase = { url: WHOLE.SUPABASE_URL, secretKey: "sb_secret_x", publishableKey: "sb_x" };
  const lane: LaneDeps = {
    environment,
    fetch: slowFetch,
    now: clock.now,
    sleep: clock.sleep,
    random: () => 0.5,
    after: clock.after,
    log: (step, fields = {}) => lines.push({ step, ...fields }),
    wake: () => {},
    database: createRecorderDatabase(supabase, { fetch: slowFetch, after: clock.after }),
    databaseWithin: (signal) =>
      createRecorderDatabase(supabase, { fetch: slowFetch, after: clock.after, timeoutMs: 8_000, signal }),
  };
  let looks = 0;
  await drainLane(
    { lane: "control", budgetMs: 100_000, lingerMs: 100, patienceMs: 0, tickMs: 250, concurrency: 5 },
    controlHandlers(lane),
    {
      database: {
        work: () => {
          looks += 1;
          return Promise.resolve({
            hasPlace: true,
            jobs: looks === 1 ? [job] : [],
            unreadable: [],
            refused: [],
            nextRunInMs: undefined,
            settings: { longest_control_call: LONGEST_S },
          });
        },
        leave: () => Promise.resolve(false),
      },
      now: clock.now,
      sleep: clock.sleep,
      newId: () => crypto.randomUUID(),
      log: lane.log,
      nudged: () => new Promise(() => {}),
      after: clock.after,
    },
  );
  await clock.settled();
  const told = lines.find(({ step }) => step === "job");
  return { ms: Number(told?.ms), outcome: String(told?.outcome), asked };
}

const kept = withoutSecrets(startRequestOf(recordingForTest(), 1, {}, bucketSettings(environment, "ingest")));
const unanswered = taskForTest({
  state: "requested",
  sid: null,
  is_unanswered: true,
  request: kept,
  start_sent_at: BEGIN_MS - 20_000,
});
const stopping = recordingForTest({ status: "stopping" });
const events = [
  EVENTS.started(),
  EVENTS.firstFile(),
  EVENTS.left(),
  EVENTS.uploaded(),
  EVENTS.exit(),
  EVENTS.fatal(),
];
const ofTask = { engine_task_id: TASK_ID, wait_ms: SLOT_AHEAD_MS } as const;

const jobs: Record<string, Job> = {
  start: jobForTest({ wait_ms: SLOT_AHEAD_MS }),
  start_again: jobForTest({ ...ofTask, kind: "start_again", tasks: [unanswered] }),
  confirm: jobForTest({ ...ofTask, kind: "confirm", tasks: [taskForTest()] }),
  "confirm without a sid": jobForTest({ ...ofTask, kind: "confirm", tasks: [unanswered] }),
  heartbeat: jobForTest({ ...ofTask, kind: "heartbeat", tasks: [taskForTest()] }),
  stop: jobForTest({ ...ofTask, kind: "stop", recording: stopping, tasks: [taskForTest()] }),
  "stop without a sid": jobForTest({ ...ofTask, kind: "stop", recording: stopping, tasks: [unanswered] }),
  repair: jobForTest({ ...ofTask, kind: "repair", recording: stopping, tasks: [taskForTest()] }),
  apply_events: jobForTest({
    ...ofTask,
    kind: "apply_events",
    tasks: [taskForTest()],
    events: [...events, ...events].map((event) => ({
      notice_id: event.noticeId,
      event,
      received_at: BEGIN_MS,
    })),
  }),
};
const worlds: Record<string, World> = {
  "nobody ever answers": { database: NEVER, engine: NEVER, bucket: NEVER },
  "the database is as slow as it may be, the engine never answers": {
    database: 7_999,
    engine: NEVER,
    bucket: NEVER,
  },
  "everybody is as slow as they may be": { database: 7_999, engine: 9_999, bucket: 9_999 },
  "the sid cannot be saved": { database: 7_999, engine: 9_999, bucket: 9_999, fails: /task\.started/ },
};

for (const [what, world] of Object.entries(worlds)) {
  for (const [kind, job] of Object.entries(jobs)) {
    Deno.test(`where ${what}, ${kind} ends within its time and sends no more than it has slots for`, async () => {
      const { ms, asked } = await run(job, world);
      assert.ok(ms <= LONGEST_S * 1000, `${ms} ms`);
      const requests = asked.filter((call) => ["acquire", "start", "query", "stop"].includes(call));
      const slots = kind === "start" ? 2 : kind === "apply_events" ? 0 : 1;
      assert.ok(requests.length <= slots, `${kind}: ${requests}`);
    });
  }
}

Deno.test("with everybody as slow as they may be, a start still gets through, to the saved sid", async () => {
  const { asked, outcome, ms } = await run(jobs.start ?? jobForTest(), {
    database: 7_999,
    engine: 9_999,
    bucket: 0,
  });
  assert.deepEqual(asked, ["begin_attempt", "acquire", "task.acquired", "start", "task.started"]);
  assert.equal(outcome, "done");
  assert.ok(ms > 40_000, `${ms} ms`);
});

Deno.test("the numbers agree: lease > longest call, deadline > lease, and a drain that is at its end is not killed", () => {
  assert.ok(setting("control_lease") > LONGEST_S);
  assert.ok(setting("attempt_deadline") > setting("control_lease"));
  // A drain claims for 100 s, and a hosted function is killed after 150 s.
  assert.ok(100 + LONGEST_S < 150);
  // Whoever sent a start has heard its answer or died by then.
  assert.ok(setting("start_answer_limit") > 10);
});
