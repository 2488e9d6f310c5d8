import assert from "node:assert/strict";
import { B2_RETRY_POLICY, longestCallMs, pauseAfter, retryAfterMsOf } from "../../_shared/b2/retry-policy.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import { errorXml, NOW_MS, objectHeaders, type Step, scriptedStore } from "./scripted-store.ts";

const BUSY: Step = { http: 503, body: errorXml("ServiceUnavailable", "no tomes available") };
const STORED: Step = { http: 200, headers: objectHeaders(0) };
const PUT = { contentType: "video/mp4" };

const isCode = (code: string) => (thrown: unknown) =>
  thrown instanceof RecorderFailure && thrown.error.code === code;

Deno.test("a put that meets a busy vault is sent again after 1, 2 and 4 seconds and half their jitter", async () => {
  const { client, sent, slept } = scriptedStore([BUSY, "lost", BUSY, STORED]);
  const stored = await client.put("a", "bytes", PUT);
  assert.equal(stored.etag, "8b1a9953c4611296a827abf8c47804d7");
  assert.deepEqual(slept, [1_250, 2_500, 5_000]);
  assert.deepEqual(
    sent.map((request) => request.body),
    ["bytes", "bytes", "bytes", "bytes"],
  );
});

Deno.test("every attempt is signed anew, for its own time", async () => {
  const { client, sent } = scriptedStore(["lost", STORED]);
  await client.put("a", "bytes", PUT);
  const dates = sent.map((request) => request.headers.get("x-amz-date"));
  assert.deepEqual(dates, ["20261122T180000Z", "20261122T180001Z"]);
  assert.notEqual(sent[0]?.headers.get("authorization"), sent[1]?.headers.get("authorization"));
});

Deno.test("the fourth failure is the last", async () => {
  const { client, sent } = scriptedStore([BUSY, BUSY, BUSY, BUSY, STORED]);
  await assert.rejects(client.put("a", "bytes", PUT), isCode("store_unavailable"));
  assert.equal(sent.length, 4);
});

Deno.test("a store that cannot be reached is told as such, with the reason", async () => {
  const { client } = scriptedStore(["lost", "lost", "lost", "lost"]);
  await assert.rejects(
    client.put("a", "bytes", PUT),
    (thrown) =>
      thrown instanceof RecorderFailure &&
      thrown.error.code === "store_unreachable" &&
      thrown.error.detail === "TypeError: connection reset" &&
      thrown.cause instanceof TypeError,
  );
});

Deno.test("an answer that does not come in time is given up and asked for again", async () => {
  const { client, sent } = scriptedStore(["silent", STORED], { putTimeoutMs: 20 });
  await client.put("a", "bytes", PUT);
  assert.equal(sent.length, 2);
});

Deno.test("a text that breaks off is read again from the start", async () => {
  const { client, sent } = scriptedStore([
    { http: 200, cutOffAfter: "#EXT", headers: objectHeaders(7) },
    { http: 200, body: "#EXTM3U", headers: objectHeaders(7) },
  ]);
  assert.equal(await client.getText("a.m3u8", 100), "#EXTM3U");
  assert.equal(sent.length, 2);
});

Deno.test("the pause that the store asks for is kept", async () => {
  const { client, slept } = scriptedStore([{ ...BUSY, headers: { "retry-after": "3" } }, STORED]);
  await client.put("a", "bytes", PUT);
  assert.deepEqual(slept, [3_000]);
});

Deno.test("a longer pause than a function may wait is left to the job, which is told how long", async () => {
  const { client, sent } = scriptedStore([{ ...BUSY, headers: { "retry-after": "120" } }]);
  await assert.rejects(
    client.put("a", "bytes", PUT),
    (thrown) => thrown instanceof RecorderFailure && thrown.error.retryAfterMs === 120_000,
  );
  assert.equal(sent.length, 1);
});

Deno.test("no attempt begins when the call's time is used up", async () => {
  const { client, sent } = scriptedStore([BUSY, BUSY, STORED], { budgetMs: 3_000 });
  await assert.rejects(client.put("a", "bytes", PUT), isCode("store_unavailable"));
  assert.equal(sent.length, 2);
});

Deno.test("a caller that gives up gets its own reason, and nothing is sent again", async () => {
  const { client, sent } = scriptedStore(["silent", STORED]);
  const caller = new AbortController();
  const put = client.put("a", "bytes", { ...PUT, signal: caller.signal });
  const reason = new Error("slice is over");
  caller.abort(reason);
  await assert.rejects(put, reason);
  assert.ok(sent.length <= 1);
});

Deno.test("Retry-After is read as seconds or as a date, and as nothing else", () => {
  assert.equal(retryAfterMsOf("5", NOW_MS), 5_000);
  assert.equal(retryAfterMsOf("Sun, 22 Nov 2026 18:00:09 GMT", NOW_MS), 9_000);
  assert.equal(retryAfterMsOf("Sun, 22 Nov 2026 17:00:00 GMT", NOW_MS), 0);
  for (const odd of [null, "", "-5", "soon", "1.5", "2026-11-22"])
    assert.equal(retryAfterMsOf(odd, NOW_MS), undefined);
});

Deno.test("pauses double up to their ceiling", () => {
  const pauses = [1, 2, 3, 4, 5, 9].map((attempt) => pauseAfter(attempt, B2_RETRY_POLICY, undefined, 0));
  assert.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  assert.equal(longestCallMs(B2_RETRY_POLICY), 120_000);
});
