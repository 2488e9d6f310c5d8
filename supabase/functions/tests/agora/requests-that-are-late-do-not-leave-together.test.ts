import assert from "node:assert/strict";
import { createRequestWindow } from "../../_shared/agora/request-window.ts";

function windowWithClock() {
  let nowMs = 1_000_000;
  const window = createRequestWindow({
    now: () => nowMs,
    sleep: (ms) => {
      nowMs += Math.ceil(ms);
      return Promise.resolve();
    },
  });
  return { window, now: () => nowMs, advance: (ms: number) => (nowMs += ms) };
}
const never = new AbortController().signal;

Deno.test("what comes within the rate is not held up", async () => {
  const { window, now, advance } = windowWithClock();
  for (let request = 0; request < 30; request++) {
    const before = now();
    await window.pass(9.5, never);
    assert.equal(now(), before);
    advance(106);
  }
});

Deno.test("a bunch of requests leaves at the rate: never more than ten in a second", async () => {
  const { window, now } = windowWithClock();
  const left: number[] = [];
  await Promise.all(Array.from({ length: 40 }, () => window.pass(9.5, never).then(() => left.push(now()))));
  for (const [index, at] of left.entries()) {
    const before = left[index - 10];
    if (before !== undefined)
      assert.ok(at - before >= 1_052, `${at - before} ms between a request and the tenth before it`);
  }
  assert.ok(now() - (left[0] ?? 0) <= 3_200, "forty take three windows");
});

Deno.test("a request whose job has no time left holds nobody up", async () => {
  const { window, now } = windowWithClock();
  for (let request = 0; request < 10; request++) await window.pass(10, never);
  const before = now();
  await window.pass(10, AbortSignal.abort());
  assert.equal(now(), before);
});
