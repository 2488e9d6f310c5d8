import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRecorderDatabase } from "../../_shared/jobs/database.ts";
import { RECORDING_ID, TASK_ID } from "./jobs-for-tests.ts";

const DRAIN = "66666666-6666-4666-8666-666666666666";
const LEASE = "55555555-5555-4555-8555-555555555555";
const NO_STEP = { has_place: true, jobs: [], next_run_in_ms: null };

/** The database's client against answers, one per request. */
function databaseAnswering(answers: unknown[], secretKey = "sb_secret_of_the_project") {
  const sent: { method: string; url: string; headers: Headers; body: unknown }[] = [];
  const database = createRecorderDatabase(
    { url: "https://project.example", secretKey, publishableKey: "sb_publishable_key" },
    {
      fetch: async (input, init) => {
        assert.ok(init?.body instanceof Blob, "a string would be sent twice by the platform");
        sent.push({
          method: init.method ?? "",
          url: String(input),
          headers: new Headers(init.headers),
          body: JSON.parse(await init.body.text()),
        });
        return Response.json(answers.shift());
      },
    },
  );
  return { database, sent };
}

Deno.test("a call is a POST to the function of schema recorder_api", async () => {
  const { database, sent } = databaseAnswering([NO_STEP]);
  await database.work("control", DRAIN, [], 20);
  const [request] = sent;
  assert.equal(request?.method, "POST");
  assert.equal(request?.url, "https://project.example/rest/v1/rpc/work");
  assert.equal(request?.headers.get("content-profile"), "recorder_api");
  assert.equal(request?.headers.get("content-type"), "application/json");
  assert.deepEqual(request?.body, { p_lane: "control", p_drain: DRAIN, p_finished: [], p_limit: 20 });
});

Deno.test("a new secret key stands in apikey alone: as a bearer it is refused", async () => {
  const { database, sent } = databaseAnswering([NO_STEP]);
  await database.work("control", DRAIN, [], 1);
  assert.equal(sent[0]?.headers.get("apikey"), "sb_secret_of_the_project");
  assert.equal(sent[0]?.headers.get("authorization"), null);
});

Deno.test("a legacy key is a JWT and stands in both headers", async () => {
  const { database, sent } = databaseAnswering([NO_STEP], "eyJhbGciOiJIUzI1NiJ9.e30.x");
  await database.work("control", DRAIN, [], 1);
  assert.equal(sent[0]?.headers.get("apikey"), "eyJhbGciOiJIUzI1NiJ9.e30.x");
  assert.equal(sent[0]?.headers.get("authorization"), "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x");
});

Deno.test("results travel with their lease, and only with what belongs to their outcome", async () => {
  const { database, sent } = databaseAnswering([NO_STEP, true]);
  const error = {
    code: "engine_timeout",
    blame: "engine",
    retry: "later",
    message: "Slow.",
    detail: "HTTP 504",
  } as const;
  await database.work(
    "control",
    DRAIN,
    [
      { id: 1, lease: LEASE, outcome: "done" },
      { id: 2, lease: LEASE, outcome: "snooze", afterMs: 2_000 },
      { id: 3, lease: LEASE, outcome: "retry", error },
      { id: 4, lease: LEASE, outcome: "retry", error, afterMs: 7_000 },
    ],
    0,
  );
  const told = sent[0]?.body;
  assert.ok(typeof told === "object" && told !== null && "p_finished" in told);
  assert.deepEqual(told.p_finished, [
    { id: 1, lease: LEASE, outcome: "done" },
    { id: 2, lease: LEASE, outcome: "snooze", after_ms: 2_000 },
    { id: 3, lease: LEASE, outcome: "retry", error },
    { id: 4, lease: LEASE, outcome: "retry", error, after_ms: 7_000 },
  ]);
  await database.leave("control", DRAIN, [{ id: 5, lease: LEASE, outcome: "give_up", error }]);
  assert.deepEqual(sent[1]?.body, {
    p_lane: "control",
    p_drain: DRAIN,
    p_finished: [{ id: 5, lease: LEASE, outcome: "give_up", error }],
  });
});

Deno.test("every other call has the arguments that its function declares", async () => {
  const attempt = { id: TASK_ID, attempt: 1, channel: "room1", uid: "4000000001", token_expires_at: 0 };
  const { database, sent } = databaseAnswering([
    { ...attempt, token_expires_at: "1970-01-01T00:00:00Z" },
    { status: "starting", attempt: 1 },
    1,
    [{ lane: "control", function_name: "run-control" }],
    { is_known: true, is_stored: true },
    true,
    true,
    null,
  ]);
  const totals = { duration_ms: 1, size_bytes: 2, stored_bytes: 3, is_partial: false, gaps: [] };
  assert.deepEqual(await database.beginAttempt(RECORDING_ID, new Date(0)), attempt);
  await database.report(TASK_ID, "task.seen");
  assert.equal(await database.markApplied(["n1"]), 1);
  assert.equal((await database.lanesToWake()).length, 1);
  await database.receiveEvent({
    noticeId: "n1",
    eventType: 40,
    sid: undefined,
    channel: "room1",
    uid: undefined,
    isSignOfLife: false,
    event: {},
  });
  await database.publish(RECORDING_ID, [], totals);
  await database.filesFailed(RECORDING_ID, "files.empty");
  assert.equal(await database.playbackOf(RECORDING_ID, TASK_ID), null);
  assert.deepEqual(
    sent.map(({ url, body }) => [url.slice(url.lastIndexOf("/") + 1), body]),
    [
      ["begin_attempt", { p_recording_id: RECORDING_ID, p_token_expires_at: "1970-01-01T00:00:00.000Z" }],
      ["report", { p_engine_task_id: TASK_ID, p_event: "task.seen", p_facts: {} }],
      ["mark_applied", { p_notice_ids: ["n1"] }],
      ["lanes_to_wake", {}],
      [
        "receive_event",
        {
          p_notice_id: "n1",
          p_event_type: 40,
          p_sid: null,
          p_channel: "room1",
          p_uid: null,
          p_is_sign_of_life: false,
          p_event: {},
        },
      ],
      ["publish", { p_recording_id: RECORDING_ID, p_files: [], p_totals: totals }],
      ["files_failed", { p_recording_id: RECORDING_ID, p_event: "files.empty" }],
      ["playback_of", { p_recording_id: RECORDING_ID, p_user_id: TASK_ID }],
    ],
  );
});

Deno.test("every function that is called, and every argument, exists in the migrations", async () => {
  const folder = new URL("../../../migrations/", import.meta.url);
  let sql = "";
  for await (const file of Deno.readDir(folder)) sql += await Deno.readTextFile(new URL(file.name, folder));
  let source = "";
  for (const file of ["database.ts", "transfer-calls.ts", "deletion-calls.ts", "audit-calls.ts"]) {
    source += await Deno.readTextFile(new URL(`../../_shared/jobs/${file}`, import.meta.url));
  }
  const calls = [...source.matchAll(/\bcall\(\s*"(\w+)",\s*\{([^}]*)\}/g)];
  assert.ok(calls.length >= 28, `${calls.length} calls are found`);
  for (const [, name, given = ""] of calls) {
    const declared = new RegExp(`create function recorder_api\\.${name}\\(([^)]*)\\)`).exec(sql)?.[1];
    assert.ok(declared !== undefined, `${name} is not in the migrations`);
    for (const [argument] of given.matchAll(/\bp_\w+/g)) {
      assert.match(declared, new RegExp(`\\b${argument}\\b`), `${name} has no argument ${argument}`);
    }
  }
});

Deno.test("a claim is not sent twice when a kept connection breaks", async () => {
  const received: string[] = [];
  const server = createServer((request, response) => {
    const call = request.url?.split("/").at(-1) ?? "";
    received.push(call);
    request.resume().on("end", () => {
      response.setHeader("content-type", "application/json");
      if (call === "leave") response.end("true");
      else response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const url = `http://127.0.0.1:${address.port}`;
  const database = createRecorderDatabase(
    { url, secretKey: "sb_secret_x", publishableKey: "sb_x" },
    { fetch },
  );
  try {
    await database.leave("control", DRAIN, []);
    await assert.rejects(database.work("control", DRAIN, [], 5), /database_unavailable/);
    assert.deepEqual(received, ["leave", "work"]);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
