import assert from "node:assert/strict";
import { notifySettings } from "../../_shared/config.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import { done } from "../../_shared/jobs/job.ts";
import { deliverEvent } from "../../_shared/notify/deliver.ts";
import { verifyStandardWebhook } from "../../_shared/webhooks/standard-webhooks.ts";
import { jobForTest, RECORDING_ID } from "../jobs/jobs-for-tests.ts";
import { BEGIN_MS } from "../jobs/virtual-clock.ts";

const SECRET = `whsec_${btoa("the secret of the events, 32 byt")}`;
const URL_OF_RECEIVER = "https://receiver.example/hooks/token-of-the-receiver";
const HOUR = 3_600_000;

const payload = {
  id: "evt_0123456789abcdef0123456789abcdef",
  type: "recording.recorded",
  occurred_at: "2026-11-22T18:00:00+00:00",
  data: { recording_id: RECORDING_ID, status: "recorded", version: 7 },
};

function stage(answer: (url: string, init: RequestInit) => Response | Promise<Response>) {
  const sent: { url: string; init: RequestInit; body: string }[] = [];
  let nowMs = BEGIN_MS;
  const deps = {
    receiver: (): { url: string; secret: string } | undefined => ({ url: URL_OF_RECEIVER, secret: SECRET }),
    now: () => nowMs,
    random: () => 0,
    fetch: ((url: string, init: RequestInit) => {
      sent.push({ url, init, body: new TextDecoder().decode(init.body as Uint8Array) });
      return Promise.resolve(answer(url, init));
    }) as typeof fetch,
  };
  const run = (attempts = 1) =>
    deliverEvent(jobForTest({ kind: "notify", payload, attempts, max_attempts: 10 }), deps);
  return { deps, sent, run, pass: (ms: number) => (nowMs += ms) };
}

Deno.test("a receiver gets type, time and ids, signed so that it can tell us from everybody else", async () => {
  const { run, sent } = stage(() => new Response("thank you", { status: 200 }));
  assert.deepEqual(await run(), done);
  const [{ url, init, body } = { url: "", init: {}, body: "" }] = sent;
  assert.equal(url, URL_OF_RECEIVER);
  assert.deepEqual(JSON.parse(body), {
    type: payload.type,
    timestamp: payload.occurred_at,
    data: payload.data,
  });
  const headers = new Headers(init.headers);
  assert.deepEqual(
    [init.method, init.redirect, headers.get("content-type")],
    ["POST", "manual", "application/json"],
  );
  const verdict = verifyStandardWebhook({
    headers,
    rawBody: new TextEncoder().encode(body),
    secrets: [SECRET],
    nowSeconds: BEGIN_MS / 1000,
  });
  assert.deepEqual(verdict, { ok: true, id: payload.id, timestampSeconds: BEGIN_MS / 1000 });
});

Deno.test("sent again it has the same id and body, and the time of its sending", async () => {
  const { run, sent, pass } = stage(() => new Response(null, { status: 500 }));
  await run(1);
  pass(HOUR);
  await run(2);
  const [first, second] = sent.map(({ init, body }) => ({ headers: new Headers(init.headers), body }));
  assert.equal(first?.headers.get("webhook-id"), second?.headers.get("webhook-id"));
  assert.equal(first?.body, second?.body);
  assert.equal(
    Number(second?.headers.get("webhook-timestamp")) - Number(first?.headers.get("webhook-timestamp")),
    3_600,
  );
});

Deno.test("where nobody wants events there is nothing to do", async () => {
  const { run, deps, sent } = stage(() => new Response());
  deps.receiver = () => undefined;
  assert.deepEqual(await run(), done);
  assert.deepEqual(sent, []);
});

for (const status of [200, 201, 202, 204]) {
  Deno.test(`${status} is received`, async () => {
    assert.deepEqual(await stage(() => new Response(null, { status })).run(), done);
  });
}

Deno.test("whatever else it answers is tried ten times over 75 hours, then given up", async () => {
  const { run } = stage(() => new Response("no", { status: 422 }));
  let waitedMs = 0;
  for (let attempt = 1; attempt < 10; attempt++) {
    const outcome = await run(attempt);
    assert.ok(outcome.outcome === "retry" && outcome.afterMs !== undefined);
    assert.equal(outcome.error.code, "receiver_refused");
    assert.equal(outcome.error.detail, "HTTP 422");
    waitedMs += outcome.afterMs;
  }
  assert.ok(waitedMs >= 75 * HOUR && waitedMs < 76 * HOUR, `${waitedMs / HOUR} h`);
  assert.equal((await run(10)).outcome, "give_up");
});

const bad: [name: string, code: string, outcome: string, answer: () => Response | Promise<Response>][] = [
  [
    "a redirect is not followed",
    "receiver_redirects",
    "retry",
    () => new Response(null, { status: 302, headers: { location: "http://169.254.169.254/" } }),
  ],
  ["410 means never again", "receiver_gone", "give_up", () => new Response(null, { status: 410 })],
  ["401 may be mended", "receiver_refused", "retry", () => new Response(null, { status: 401 })],
  ["503 passes", "receiver_refused", "retry", () => new Response(null, { status: 503 })],
  [
    "no answer passes",
    "receiver_unreachable",
    "retry",
    () =>
      Promise.reject(new TypeError(`error sending request for url (${URL_OF_RECEIVER}): connection refused`)),
  ],
];
for (const [name, code, outcome, answer] of bad) {
  Deno.test(name, async () => {
    const { run, sent } = stage(answer);
    const result = await run();
    assert.ok(result.outcome === outcome && "error" in result);
    assert.equal(result.error.code, code);
    assert.equal(sent.length, 1);
    assert.ok(
      !JSON.stringify(result).includes("token-of-the-receiver"),
      "the address stays where it was set",
    );
  });
}

Deno.test("Retry-After lengthens a pause, never shortens it, and never beyond a day", async () => {
  const after = async (seconds: string, attempt: number) => {
    const outcome = await stage(
      () => new Response(null, { status: 429, headers: { "retry-after": seconds } }),
    ).run(attempt);
    return outcome.outcome === "retry" ? outcome.afterMs : undefined;
  };
  assert.equal(await after("60", 1), 60_000);
  assert.equal(await after("1", 1), 5_000);
  assert.equal(await after("999999", 1), 24 * HOUR);
  assert.equal(await after("Fri, 01 Jan 2100 00:00:00 GMT", 1), 5_000);
});

Deno.test("pauses differ, so that a thousand events do not come back at once", async () => {
  const { run, deps } = stage(() => new Response(null, { status: 500 }));
  deps.random = () => 0.999;
  const outcome = await run();
  assert.ok(outcome.outcome === "retry" && (outcome.afterMs ?? 0) > 5_400 && (outcome.afterMs ?? 0) < 5_500);
});

Deno.test("a receiver that is set up wrongly costs tries, not the event at once", async () => {
  const { run, deps, sent } = stage(() => new Response());
  deps.receiver = () =>
    notifySettings({ get: (name) => ({ NOTIFY_WEBHOOK_URL: "http://receiver.example/" })[name] });
  const outcome = await run();
  assert.ok(outcome.outcome === "retry" && outcome.afterMs === 5_000);
  assert.equal(outcome.error.code, "setting_invalid");
  assert.match(
    outcome.error.detail ?? "",
    /NOTIFY_WEBHOOK_URL is malformed \(must be https\).*NOTIFY_WEBHOOK_SECRET is missing/,
  );
  assert.deepEqual(sent, []);
});

const read = (url: string, secret = SECRET) =>
  notifySettings({ get: (name) => ({ NOTIFY_WEBHOOK_URL: url, NOTIFY_WEBHOOK_SECRET: secret })[name] });

for (const url of [
  "https://receiver.example/x",
  "http://127.0.0.1:8080/x",
  "http://localhost/x",
  "http://[::1]:9/x",
  "http://127.8.8.8/",
]) {
  Deno.test(`${url} may be a receiver`, () => assert.deepEqual(read(url), { url, secret: SECRET }));
}
for (const url of [
  "http://receiver.example/x",
  "http://127.0.0.1.example/",
  "http://localhost.example/",
  "ftp://receiver.example/",
  "https://user:word@receiver.example/",
  "https://user@receiver.example/",
  "receiver.example",
  " ",
]) {
  Deno.test(`"${url}" may not`, () => {
    assert.throws(
      () => read(url),
      (thrown) => thrown instanceof RecorderFailure && thrown.error.code === "setting_invalid",
    );
  });
}

Deno.test("half a receiver is a mistake, none is none", () => {
  assert.equal(notifySettings({ get: () => undefined }), undefined);
  assert.throws(() => read("https://receiver.example/", ""), /setting_invalid/);
  assert.throws(() => read("https://receiver.example/", "not a secret"), /setting_invalid/);
});
