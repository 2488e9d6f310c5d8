import assert from "node:assert/strict";
import { RecorderFailure } from "../../_shared/errors.ts";
import { createHealthAnswerer } from "../../_shared/health/answer.ts";
import type { LaneToWake } from "../../_shared/jobs/database.ts";
import type { Health } from "../../_shared/jobs/health-calls.ts";
import type { LogFields } from "../../_shared/log.ts";
import { readOpenMetrics } from "./openmetrics-parser.ts";

const SECRET = "the secret of the monitor, long enough";
const OLD_SECRET = "the secret it had before this one did";
const GREEN: Health = {
  is_ok: true,
  checks: [
    { name: "vault", is_ok: true, value: 2, unit: "readable secrets", threshold: 2, explanation: "Fine." },
  ],
  lanes_to_wake: [],
};
const RED: Health = {
  ...GREEN,
  is_ok: false,
  lanes_to_wake: [{ lane: "control", function_name: "run-control" }],
};

function stage(first: Health | Error, secrets: string[] | Error = [SECRET, OLD_SECRET]) {
  let health = first;
  let nowMs = 1_000_000;
  const seen = { questions: 0, woken: [] as LaneToWake[], log: [] as (LogFields & { step: string })[] };
  const answer = createHealthAnswerer({
    secrets: () => {
      if (secrets instanceof Error) throw secrets;
      return secrets;
    },
    database: () => ({
      readHealth: () => {
        seen.questions += 1;
        return health instanceof Error ? Promise.reject(health) : Promise.resolve(health);
      },
      readMetrics: () =>
        health instanceof Error
          ? Promise.reject(health)
          : Promise.resolve({
              samples: [{ metric: "queue_age_seconds", labels: { lane: "control" }, value: 0 }],
              histograms: [],
            }),
    }),
    sendWakeUps: (lanes) => Promise.resolve(void seen.woken.push(...lanes)),
    waitUntil: () => {},
    log: (step, fields = {}) => void seen.log.push({ step, ...fields }),
    now: () => nowMs,
  });
  return {
    seen,
    becomes: (next: Health | Error) => (health = next),
    pass: (ms: number) => (nowMs += ms),
    async ask(path = "", { secret, method = "GET" }: { secret?: string; method?: string } = {}) {
      const response = await answer(
        new Request(`https://project.example/health${path}`, {
          method,
          headers: secret === undefined ? {} : { authorization: `Bearer ${secret}` },
        }),
      );
      const type = response.headers.get("content-type") ?? "";
      const body = type.startsWith("application/json") ? await response.json() : await response.text();
      return { status: response.status, body, type };
    },
  };
}

Deno.test("anybody learns whether all is well, and nothing else", async () => {
  const { ask, becomes, pass } = stage(GREEN);
  assert.deepEqual(await ask(), { status: 200, body: { status: "green" }, type: "application/json" });
  becomes(RED);
  pass(5_000);
  assert.deepEqual(await ask(), { status: 503, body: { status: "red" }, type: "application/json" });
});

Deno.test("who knows the secret sees every check, also with the one that is being replaced", async () => {
  const { ask } = stage(RED);
  const open = { status: 503, body: { status: "red", checks: RED.checks }, type: "application/json" };
  assert.deepEqual(await ask("", { secret: SECRET }), open);
  assert.deepEqual(await ask("/", { secret: OLD_SECRET }), open);
});

Deno.test("a wrong secret, an empty one and one of another length see what strangers see", async () => {
  const { ask } = stage(GREEN);
  for (const secret of [`${SECRET.slice(0, -1)}x`, "", "x", `${SECRET}${SECRET}`]) {
    assert.deepEqual((await ask("", { secret })).body, { status: "green" });
    assert.equal((await ask("/metrics", { secret })).status, 401);
  }
});

Deno.test("where no secret is set, or a malformed one, nobody sees details", async () => {
  const malformed = new RecorderFailure({
    code: "setting_invalid",
    blame: "configuration",
    retry: "later",
    message: "Not set up.",
    detail: "HEALTH_SECRET is malformed",
  });
  for (const secrets of [[], malformed]) {
    const { ask } = stage(GREEN, secrets);
    assert.deepEqual((await ask("", { secret: SECRET })).body, { status: "green" });
    assert.deepEqual((await ask("", { secret: "undefined" })).body, { status: "green" });
    assert.equal((await ask("/metrics", { secret: SECRET })).status, 401);
  }
});

Deno.test("numbers come as OpenMetrics, with the secret only", async () => {
  const { ask, seen } = stage(GREEN);
  assert.equal((await ask("/metrics")).status, 401);
  const { status, body, type } = await ask("/metrics", { secret: SECRET });
  assert.deepEqual([status, type], [200, "application/openmetrics-text; version=1.0.0; charset=utf-8"]);
  assert.equal(readOpenMetrics(String(body)).get("recorder_queue_age_seconds")?.samples[0]?.value, 0);
  assert.equal(seen.questions, 0);
});

Deno.test("a database that is silent is red, and why stays in the log", async () => {
  const { ask, seen } = stage(new Error("no connection to db.internal"));
  assert.deepEqual((await ask()).body, { status: "red" });
  const { status, body } = await ask("", { secret: SECRET });
  assert.equal(status, 503);
  assert.match(JSON.stringify(body), /"name":"database","is_ok":false/);
  assert.doesNotMatch(JSON.stringify(body), /db\.internal/);
  assert.equal((await ask("/metrics", { secret: SECRET })).status, 503);
  assert.match(JSON.stringify(seen.log), /db\.internal/);
});

Deno.test("lanes that nobody wakes are woken, and a crowd of strangers is one question in five seconds", async () => {
  const { ask, seen, pass } = stage(RED);
  await Promise.all(Array.from({ length: 50 }, () => ask()));
  assert.deepEqual([seen.questions, seen.woken.length], [1, 1]);
  pass(4_999);
  await ask();
  assert.equal(seen.questions, 1);
  pass(1);
  await ask();
  assert.deepEqual([seen.questions, seen.woken.length], [2, 2]);
});

Deno.test("other methods and paths are refused", async () => {
  const { ask } = stage(GREEN);
  assert.equal((await ask("", { method: "HEAD" })).status, 200);
  assert.equal((await ask("", { method: "POST" })).status, 405);
  assert.equal((await ask("/metrics", { method: "DELETE", secret: SECRET })).status, 405);
  assert.equal((await ask("/secrets", { secret: SECRET })).status, 404);
  assert.equal((await ask("metrics", { secret: SECRET })).status, 404);
});
