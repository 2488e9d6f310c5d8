import assert from "node:assert/strict";
import { type RecorderError, RecorderFailure } from "../../_shared/errors.ts";
import { createRecorderDatabase } from "../../_shared/jobs/database.ts";
import { jobForTest, RECORDING_ID, TASK_ID, taskForTest } from "./jobs-for-tests.ts";

const DRAIN = "66666666-6666-4666-8666-666666666666";
const SECRET_KEY = "sb_secret_of_the_project";

function databaseWith(answer: () => Promise<Response>) {
  return createRecorderDatabase(
    { url: "https://project.example", secretKey: SECRET_KEY, publishableKey: "sb_publishable_key" },
    { fetch: answer },
  );
}

async function failureOf(call: Promise<unknown>): Promise<RecorderError> {
  const thrown = await call.then(
    () => assert.fail("it was taken for an answer"),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof RecorderFailure, String(thrown));
  assert.ok(!JSON.stringify(thrown.error).includes(SECRET_KEY));
  return thrown.error;
}

Deno.test("a refusal of the database keeps its code, and trying again does not help", async () => {
  const body = {
    code: "engine_task_not_found",
    message: "There is no engine task with this id.",
    details: null,
    hint: null,
  };
  const database = databaseWith(() => Promise.resolve(Response.json(body, { status: 404 })));
  const error = await failureOf(database.report(TASK_ID, "task.seen"));
  assert.deepEqual([error.code, error.retry, error.message], [body.code, "never", body.message]);
});

const unavailable: Record<string, () => Promise<Response>> = {
  "no connection": () => Promise.reject(new TypeError("connection reset")),
  "an answer that breaks off": () =>
    Promise.resolve(
      new Response(
        new ReadableStream({
          start(stream) {
            stream.enqueue(new TextEncoder().encode('{"has_'));
            stream.error(new TypeError("connection reset"));
          },
        }),
      ),
    ),
  "an error of Postgres": () =>
    Promise.resolve(
      Response.json({ code: "57014", message: "canceling statement due to timeout" }, { status: 500 }),
    ),
  "an error of PostgREST": () =>
    Promise.resolve(Response.json({ code: "PGRST202", message: "no such function" }, { status: 404 })),
  "a missing right": () =>
    Promise.resolve(Response.json({ code: "42501", message: "permission denied" }, { status: 403 })),
  "the gateway's refusal of the key": () =>
    Promise.resolve(Response.json({ message: "Invalid API key" }, { status: 401 })),
  "a gateway's error page": () =>
    Promise.resolve(new Response(`<html>${"x".repeat(10_000)}</html>`, { status: 502 })),
  "a success that is no JSON": () => Promise.resolve(new Response("<html>", { status: 200 })),
  "a 404 without a body": () => Promise.resolve(new Response(null, { status: 404 })),
  "a 404 with a list": () => Promise.resolve(Response.json([], { status: 404 })),
  "an answer of another form": () => Promise.resolve(Response.json({ has_place: "yes" })),
  "no answer at all": () => Promise.resolve(new Response(null, { status: 204 })),
};
for (const [what, answer] of Object.entries(unavailable)) {
  Deno.test(`${what} is database_unavailable, to be tried again later`, async () => {
    const database = databaseWith(answer);
    for (const call of [
      () => database.work("control", DRAIN, [], 1),
      // Null would mean that no start is wanted, or that a stranger asks: a lost answer must not look like it.
      () => database.beginAttempt(RECORDING_ID, new Date(0)),
      () => database.playbackOf(RECORDING_ID, TASK_ID),
      () => database.leave("control", DRAIN, []),
    ]) {
      const error = await failureOf(call());
      assert.deepEqual([error.code, error.retry, error.blame], ["database_unavailable", "later", "us"]);
      assert.ok((error.detail ?? "").length < 700);
    }
  });
}

Deno.test("an answer that never comes is not waited for", async () => {
  const database = createRecorderDatabase(
    { url: "https://project.example", secretKey: SECRET_KEY, publishableKey: "sb_publishable_key" },
    {
      timeoutMs: 20,
      fetch: (_input, init) =>
        new Promise((_, reject) => {
          init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
        }),
    },
  );
  const error = await failureOf(database.work("control", DRAIN, [], 1));
  assert.equal(error.code, "database_unavailable");
});

Deno.test("null is an answer where it has a meaning", async () => {
  const database = databaseWith(() => Promise.resolve(Response.json(null)));
  assert.equal(await database.beginAttempt(RECORDING_ID, new Date(0)), null);
  assert.equal(await database.playbackOf(RECORDING_ID, TASK_ID), null);
});

const wireJob = () => {
  const iso = "2026-11-22T18:00:00.123456+00:00";
  const nulls = { started_at: null, stop_requested_at: null, stopped_at: null, deadline_at: null };
  const { recording, ...job } = jobForTest({ attempts: 3, wait_ms: 120 });
  const task = {
    ...taskForTest(),
    token_expires_at: iso,
    start_sent_at: "2026-11-22 18:00:00.5+00",
    started_at: null,
    confirmed_at: null,
    last_seen_at: null,
    suspect_since: null,
    left_at: null,
    failed_at: null,
    gone_at: null,
  };
  return { ...job, recording: { ...recording, ...nulls, requested_at: iso }, tasks: [task], events: null };
};

Deno.test("a claimed job comes with its times in milliseconds, in either of Postgres' spellings", async () => {
  const json = { has_place: true, jobs: [wireJob()], next_run_in_ms: 40, settings: { death_after: 90 } };
  const step = await databaseWith(() => Promise.resolve(Response.json(json))).work("control", DRAIN, [], 1);
  assert.equal(step.nextRunInMs, 40);
  assert.deepEqual(step.settings, { death_after: 90 });
  assert.equal(step.jobs[0]?.recording?.requested_at, Date.UTC(2026, 10, 22, 18, 0, 0, 123));
  assert.equal(step.jobs[0]?.recording.started_at, undefined);
  assert.equal(step.jobs[0]?.tasks[0]?.start_sent_at, Date.UTC(2026, 10, 22, 18, 0, 0, 500));
});

Deno.test("a job that cannot be read costs only itself: the others keep their leases", async () => {
  const strange = { ...wireJob(), id: 99, recording: { ...wireJob().recording, status: "dreaming" } };
  const json = { has_place: true, jobs: [strange, wireJob(), { no: "job" }], next_run_in_ms: null };
  const step = await databaseWith(() => Promise.resolve(Response.json(json))).work("control", DRAIN, [], 1);
  assert.equal(step.jobs.length, 1);
  assert.equal(step.unreadable.length, 1);
  const [result] = step.unreadable;
  assert.ok(result?.outcome === "retry" && result.id === 99 && result.lease === strange.lease);
  assert.match(result.error.detail ?? "", /recording\.status/);
});
