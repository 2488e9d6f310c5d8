import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { webhookSecrets } from "../../_shared/config.ts";
import { type ReceiveEventDeps, receiveAgoraEvent } from "../../_shared/control/receive-event.ts";
import type { LaneToWake, ReceivedEvent } from "../../_shared/jobs/database.ts";
import type { LogFields } from "../../_shared/log.ts";
import { CHANNEL, SID, UID } from "../jobs/jobs-for-tests.ts";
import { EVENTS, HAPPENED_MS } from "./events-for-tests.ts";

const SECRET = "secret-of-the-webhook";
const sign = (body: string | Uint8Array, secret = SECRET) => ({
  "agora-signature": createHmac("sha1", secret).update(body).digest("hex"),
  "agora-signature-v2": createHmac("sha256", secret).update(body).digest("hex"),
});

async function receive(
  request: { method?: string; body?: BodyInit; headers?: Record<string, string> },
  change: Partial<ReceiveEventDeps> & { fails?: Error; lanesToWake?: LaneToWake[] } = {},
) {
  const stored: ReceivedEvent[] = [];
  const logged: (LogFields & { step: string })[] = [];
  const woken: string[] = [];
  const behind: Promise<unknown>[] = [];
  let unverified = 0;
  const body = request.body ?? JSON.stringify(EVENTS.started());
  const headers = request.headers ?? sign(String(body));
  const method = request.method ?? "POST";
  const response = await receiveAgoraEvent(
    new Request("https://functions.example/agora-events", {
      method,
      headers,
      ...(method === "GET" ? {} : { body }),
    }),
    {
      secrets: () => [SECRET],
      database: () => ({
        noteUnverifiedEvent: () => {
          unverified += 1;
          return change.fails ? Promise.reject(change.fails) : Promise.resolve(true);
        },
        receiveEvent: (event) => {
          if (change.fails) return Promise.reject(change.fails);
          stored.push(event);
          return Promise.resolve({
            is_known: true,
            is_stored: stored.length === 1,
            lanes_to_wake: change.lanesToWake ?? [],
          });
        },
      }),
      sendWakeUps: (lanes) => {
        woken.push(...lanes.map(({ lane }) => lane));
        return Promise.resolve();
      },
      waitUntil: (work) => void behind.push(work),
      log: (step, fields = {}) => logged.push({ step, ...fields }),
      now: () => HAPPENED_MS + 1_000,
      ...change,
    },
  );
  // Agora counts a delivery as failed unless the body is JSON.
  assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
  const answer: unknown = await response.json();
  await Promise.all(behind);
  return { status: response.status, answer, stored, logged, woken, unverified };
}

Deno.test("a genuine event is stored as it came, with what it is about, and answered 200 with JSON", async () => {
  const event = EVENTS.started();
  const { status, answer, stored } = await receive({ body: JSON.stringify(event) });
  assert.deepEqual([status, answer], [200, { stored: true }]);
  assert.deepEqual(stored, [
    {
      noticeId: event.noticeId,
      eventType: 40,
      sid: SID,
      channel: CHANNEL,
      uid: UID,
      isSignOfLife: false,
      event,
    },
  ]);
});

Deno.test("one that the database knows already is answered 200 too", async () => {
  const database = () => ({
    noteUnverifiedEvent: () => Promise.resolve(true),
    receiveEvent: () => Promise.resolve({ is_known: true, is_stored: false, lanes_to_wake: [] }),
  });
  const { status, answer } = await receive({}, { database });
  assert.deepEqual([status, answer], [200, { stored: false }]);
});

Deno.test("lanes that nobody in Postgres wakes are woken behind the answer", async () => {
  const lanesToWake = [{ lane: "control", function_name: "run-control" }];
  assert.deepEqual((await receive({}, { lanesToWake })).woken, ["control"]);
  assert.deepEqual((await receive({})).woken, []);
});

Deno.test("a mere sign of life is told as such", async () => {
  const { stored } = await receive({ body: JSON.stringify(EVENTS.mute()) });
  assert.equal(stored[0]?.isSignOfLife, true);
});

Deno.test("an event of a kind we do not know is stored and answered 200", async () => {
  const { status, stored } = await receive({
    body: JSON.stringify({ ...EVENTS.started(), eventType: 4711 }),
  });
  assert.deepEqual([status, stored.length], [200, 1]);
});

Deno.test("while a secret is being replaced, either one may have signed", async () => {
  const body = JSON.stringify(EVENTS.started());
  const secrets = () => ["the next secret", SECRET];
  assert.equal((await receive({ body }, { secrets })).status, 200);
  assert.equal((await receive({ body, headers: sign(body, "the next secret") }, { secrets })).status, 200);
});

Deno.test("the console's test event is answered 200 and not stored", async () => {
  const { status, answer, stored } = await receive({ body: JSON.stringify(EVENTS.test()) });
  assert.deepEqual([status, answer, stored], [200, { stored: false }, []]);
});

for (const value of [undefined, "", " , "]) {
  Deno.test(`before the secret is known (${JSON.stringify(value)}) a health check is answered 200, and nothing is believed`, async () => {
    const secrets = () => webhookSecrets({ get: () => value });
    const { status, answer, stored, logged, unverified } = await receive({ headers: {} }, { secrets });
    assert.deepEqual([status, answer, stored], [200, { stored: false }, []]);
    assert.equal(unverified, 1, "health is told");
    const fails = new Error("no database");
    assert.equal((await receive({ headers: {} }, { secrets, fails })).status, 200, "also without a database");
    assert.equal(logged[0]?.step, "agora_event.secret_missing");
    assert.match(String(logged[0]?.reason), /AGORA_WEBHOOK_SECRET is .*Agora console/);
  });
}

const body = JSON.stringify(EVENTS.started());
const forgeries: Record<string, { body: string; headers: Record<string, string> }> = {
  "another secret": { body, headers: sign(body, "another secret") },
  "an empty secret": { body, headers: sign(body, "") },
  "a body that was changed": { body: body.replace('"eventType":40', '"eventType":41'), headers: sign(body) },
  "a space more": { body: `${body} `, headers: sign(body) },
  "the older signature alone": { body, headers: { "agora-signature": sign(body)["agora-signature"] } },
  "no signature": { body, headers: {} },
};
for (const [what, request] of Object.entries(forgeries)) {
  Deno.test(`with ${what} it is answered 401 and not stored`, async () => {
    const { status, answer, stored } = await receive(request);
    assert.deepEqual([status, answer, stored], [401, { code: "signature_invalid" }, []]);
  });
}

for (const text of [
  "",
  "not JSON",
  "[]",
  "null",
  '{"eventType": 41}',
  '{"noticeId": "", "eventType": 41, "productId": 3}',
]) {
  Deno.test(`a signed body ${JSON.stringify(text)} is answered 400`, async () => {
    const { status, answer, stored } = await receive({ body: text });
    assert.deepEqual([status, answer, stored], [400, { code: "engine_event_malformed" }, []]);
  });
}

Deno.test("signed bytes that are not UTF-8 are answered 400", async () => {
  const bytes = Uint8Array.from([0x7b, 0xff, 0xfe, 0x7d]);
  const { status } = await receive({ body: bytes, headers: sign(bytes) });
  assert.equal(status, 400);
});

Deno.test("what is not stored is answered 503, so that Agora sends it again", async () => {
  const { status, answer, logged } = await receive({}, { fails: new Error("connection reset") });
  assert.deepEqual([status, answer], [503, { code: "database_unavailable" }]);
  assert.match(String(logged.at(-1)?.reason), /connection reset/);
  const unset = await receive(
    {},
    {
      database: () => {
        throw new Error("no settings");
      },
    },
  );
  assert.equal(unset.status, 503);
});

Deno.test("anything but POST is answered 405", async () => {
  for (const method of ["GET", "PUT"]) {
    const { status, answer } = await receive({ method });
    assert.deepEqual([status, answer], [405, { code: "method_not_allowed" }]);
  }
});

Deno.test("more than 64 KiB is answered 413, whatever the sender says of its length", async () => {
  const long = "x".repeat(64 * 1024 + 1);
  assert.equal(
    (await receive({ body: long, headers: { ...sign(long), "content-length": String(long.length) } })).status,
    413,
  );
  let taken = 0;
  let isCancelled = false;
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(stream) {
        taken += 1;
        stream.enqueue(new Uint8Array(16 * 1024));
      },
      cancel() {
        isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const { status, answer, stored } = await receive({ body: endless, headers: { "content-length": "10" } });
  assert.deepEqual([status, answer, stored], [413, { code: "event_too_long" }, []]);
  assert.ok(taken <= 6 && isCancelled, `${taken} pieces were taken in`);
});

Deno.test("64 KiB are read whole, in however many pieces they come", async () => {
  const event = { ...EVENTS.started(), more: "" };
  event.more = "ä".repeat((64 * 1024 - new TextEncoder().encode(JSON.stringify(event)).length) / 2);
  const bytes = new TextEncoder().encode(JSON.stringify(event));
  assert.ok(bytes.length <= 64 * 1024 && bytes.length > 64 * 1024 - 2);
  let at = 0;
  const pieces = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(stream) {
      if (at >= bytes.length) return stream.close();
      stream.enqueue(bytes.slice(at, at + 1_001));
      at += 1_001;
    },
  });
  const { status, stored } = await receive({ body: pieces, headers: sign(bytes) });
  assert.deepEqual([status, stored.length], [200, 1]);
});
