import assert from "node:assert/strict";
import { observeStore } from "../../_shared/b2/observe-store.ts";
import { createLog } from "../../_shared/log.ts";
import { countStoreRequest, traced } from "../../_shared/trace.ts";

function linesOf() {
  const lines: Record<string, unknown>[] = [];
  return { lines, log: createLog((line) => void lines.push(JSON.parse(line)), { lane: "control" }) };
}
const trace = (job_id: number) => ({
  correlation_id: `00000000-0000-4000-8000-00000000000${job_id}`,
  recording_id: `11111111-0000-4000-8000-00000000000${job_id}`,
  job_id,
  kind: "start",
  attempt: 2,
});

Deno.test("whatever is logged within a job carries its trace, also by what it calls, and nothing after it", async () => {
  const { lines, log } = linesOf();
  await traced(trace(1), async () => {
    log("first");
    await new Promise((resolve) => setTimeout(resolve, 1));
    log("second", { ms: 3 });
  });
  log("third");
  assert.deepEqual(lines, [
    { step: "first", lane: "control", ...trace(1) },
    { step: "second", lane: "control", ...trace(1), ms: 3 },
    { step: "third", lane: "control" },
  ]);
});

Deno.test("jobs side by side do not mix", async () => {
  const { lines, log } = linesOf();
  const turn = Promise.withResolvers<void>();
  await Promise.all([
    traced(trace(1), async (store) => {
      await turn.promise;
      countStoreRequest(5, false);
      log("of one", { store_ms: store.ms });
    }),
    traced(trace(2), async (store) => {
      countStoreRequest(7, true);
      turn.resolve();
      await Promise.resolve();
      log("of two", { store_ms: store.ms });
    }),
  ]);
  const told = lines.map(({ step, job_id, store_ms }) => ({ step, job_id, store_ms }));
  assert.deepEqual(
    told.toSorted((one, other) => Number(one.job_id) - Number(other.job_id)),
    [
      { step: "of one", job_id: 1, store_ms: 5 },
      { step: "of two", job_id: 2, store_ms: 7 },
    ],
  );
});

Deno.test("requests to the store are summed up for their job, and only a refusal is a line of its own", async () => {
  const { lines, log } = linesOf();
  const answers = [
    new Response(null, { status: 200 }),
    new Response(null, { status: 404 }),
    new Response(null, { status: 503, headers: { "x-amz-request-id": "0a1b" } }),
  ];
  let nowMs = 0;
  const store = observeStore(
    {
      fetch: (() => {
        nowMs += 10;
        const answer = answers.shift();
        return answer === undefined
          ? Promise.reject(new TypeError("connection reset"))
          : Promise.resolve(answer);
      }) as typeof fetch,
      now: () => nowMs,
      sleep: () => Promise.resolve(),
      random: Math.random,
    },
    log,
  );
  await traced(trace(3), async (use) => {
    for (let count = 0; count < 3; count++) {
      await store.fetch("https://s3.example/bucket/recordings/x%20y?X-Amz-Signature=secret", {
        method: "PUT",
      });
    }
    await assert.rejects(store.fetch("https://s3.example/bucket/recordings/z"), /connection reset/);
    assert.deepEqual(use, { requests: 4, failed: 2, ms: 40 });
  });
  assert.deepEqual(
    lines.map(({ step, key, http, request, job_id }) => ({ step, key, http, request, job_id })),
    [
      { step: "store.refused", key: "/bucket/recordings/x y", http: 503, request: "0a1b", job_id: 3 },
      { step: "store.lost", key: "/bucket/recordings/z", http: undefined, request: undefined, job_id: 3 },
    ],
  );
  assert.doesNotMatch(JSON.stringify(lines), /secret/);
});
