import assert from "node:assert/strict";
import { wakeUpSecrets } from "../../_shared/config.ts";
import { answerWakeUp } from "../../_shared/jobs/wake-up.ts";
import type { LogFields } from "../../_shared/log.ts";
import { signStandardWebhook } from "../../_shared/webhooks/standard-webhooks.ts";
import { BEGIN_MS } from "./virtual-clock.ts";

const SECRET = `whsec_${btoa("the secret of the wake-ups, 32 b")}`;
const OTHER_SECRET = `whsec_${btoa("another secret of the wake-ups..")}`;
const BODY = '{"lane": "control", "sent_at": 1795370400}';
const NOW_SECONDS = BEGIN_MS / 1000;

function signed(
  change: { secret?: string; timestampSeconds?: number; id?: string } = {},
): Record<string, string> {
  return {
    ...signStandardWebhook({
      id: "wake_1",
      timestampSeconds: NOW_SECONDS,
      secret: SECRET,
      body: new TextEncoder().encode(BODY),
      ...change,
    }),
  };
}

async function wakeUp(
  request: { method?: string; body?: BodyInit | null; headers?: Record<string, string> } = {},
  secrets = () => [SECRET],
) {
  let drains = 0;
  const waited: Promise<void>[] = [];
  const logged: (LogFields & { step: string })[] = [];
  const method = request.method ?? "POST";
  const response = await answerWakeUp(
    new Request("https://functions.example/run-control", {
      method,
      headers: request.headers ?? signed(),
      ...(method === "GET" ? {} : { body: request.body ?? BODY }),
    }),
    {
      secrets,
      now: () => BEGIN_MS,
      waitUntil: (work) => waited.push(work),
      drain: () => {
        drains += 1;
        return Promise.resolve();
      },
      log: (step, fields = {}) => logged.push({ step, ...fields }),
    },
  );
  return {
    status: response.status,
    body: await response.text(),
    headers: response.headers,
    drains,
    waited,
    logged,
  };
}

Deno.test("a signed wake-up is answered 202 without a word, and the work goes on behind it", async () => {
  const { status, body, drains, waited, logged } = await wakeUp();
  assert.deepEqual(
    { status, body, drains, waited: waited.length, logged },
    {
      status: 202,
      body: "",
      drains: 1,
      waited: 1,
      logged: [{ step: "wake_up", wake_up_id: "wake_1" }],
    },
  );
});

Deno.test("while a secret is being replaced, either one may have signed", async () => {
  for (const secret of [SECRET, OTHER_SECRET]) {
    const { status } = await wakeUp({ headers: signed({ secret }) }, () => [OTHER_SECRET, SECRET]);
    assert.equal(status, 202);
  }
});

const forgeries: Record<string, { body?: string; headers?: Record<string, string> }> = {
  "another secret": { headers: signed({ secret: OTHER_SECRET }) },
  "a time more than five minutes ago": { headers: signed({ timestampSeconds: NOW_SECONDS - 301 }) },
  "a time more than five minutes ahead": { headers: signed({ timestampSeconds: NOW_SECONDS + 301 }) },
  "a body that was changed": { body: BODY.replace("control", "contro1") },
  "a body that was cut off": { body: BODY.slice(0, -1) },
  "an id that was changed": { headers: { ...signed(), "webhook-id": "wake_2" } },
  "a time that was changed": { headers: { ...signed(), "webhook-timestamp": String(NOW_SECONDS - 1) } },
  "no signature": { headers: {} },
  "a bearer instead": { headers: { authorization: `Bearer ${SECRET}` } },
};
for (const [what, request] of Object.entries(forgeries)) {
  Deno.test(`with ${what} it is answered 401 and nothing is begun`, async () => {
    const { status, body, drains, waited } = await wakeUp(request);
    assert.deepEqual({ status, body, drains, waited }, { status: 401, body: "", drains: 0, waited: [] });
  });
}

Deno.test("anything but POST is answered 405", async () => {
  for (const method of ["GET", "PUT", "DELETE"]) {
    const { status, headers, drains } = await wakeUp({ method });
    assert.deepEqual([status, headers.get("allow"), drains], [405, "POST", 0]);
  }
});

Deno.test("a body longer than a wake-up is answered 413, whether it says so or not", async () => {
  let taken = 0;
  const endless = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(stream) {
        taken += 1;
        stream.enqueue(new Uint8Array(512));
      },
    },
    { highWaterMark: 0 },
  );
  assert.equal((await wakeUp({ body: "x".repeat(1025) })).status, 413);
  assert.equal((await wakeUp({ body: endless })).status, 413);
  assert.ok(taken <= 4, `${taken} pieces of an endless body were taken in`);
  assert.equal((await wakeUp({ body: "x".repeat(1024) })).status, 401);
});

for (const value of [undefined, "", " , ", "not a whsec", `whsec_${btoa("too short")}`]) {
  Deno.test(`while the secret is ${JSON.stringify(value)} the answer is 500, and the log says why`, async () => {
    const { status, drains, logged } = await wakeUp({}, () => wakeUpSecrets({ get: () => value }));
    assert.deepEqual([status, drains], [500, 0]);
    assert.match(String(logged[0]?.reason), /^WAKE_UP_SECRET is (missing|malformed).*Vault/);
  });
}

Deno.test("a secret that slipped through with a wrong form is a 500 too, never an unhandled error", async () => {
  assert.equal((await wakeUp({}, () => ["whsec_%%%"])).status, 500);
  assert.equal((await wakeUp({}, () => [])).status, 500);
});
