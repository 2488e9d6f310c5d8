import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createAgoraClient } from "../../_shared/agora/client.ts";
import { failoverOrder, longestCallMs } from "../../_shared/agora/transport.ts";
import replies from "../fixtures/agora/replies.json" with { type: "json" };
import { ACQUIRE, QUERY, START, STOP, UPDATE_LAYOUT } from "./requests-for-tests.ts";
import { SETTINGS, scriptedEngine } from "./scripted-engine.ts";

const ANSWER = { cname: "room1", uid: "4000000001", resourceId: replies.resourceId, sid: replies.sid };

Deno.test("acquire tries the same host once more, then the other one, resting 1 and 3 seconds", async () => {
  const { client, sent, slept } = scriptedEngine(["lost", "lost", { http: 200, body: ANSWER }]);
  assert.equal((await client.acquire(ACQUIRE)).outcome, "acquired");
  assert.deepEqual(
    sent.map((request) => new URL(request.url).host),
    ["one.example", "one.example", "two.example"],
  );
  assert.deepEqual(slept, [1_000, 3_000]);
});

const REGIONAL = { apiUrls: [...SETTINGS.apiUrls, "https://region.example"] };

Deno.test("a network failure goes on to the regional host, without the other primary one", async () => {
  const { client, sent, slept } = scriptedEngine(["lost", "lost", { http: 200, body: ANSWER }], REGIONAL);
  assert.equal((await client.acquire(ACQUIRE)).outcome, "acquired");
  assert.deepEqual(
    sent.map((request) => new URL(request.url).host),
    ["one.example", "one.example", "region.example"],
  );
  assert.deepEqual(slept, [1_000, 3_000]);
});

Deno.test("a name that cannot be resolved tries the other primary one before the regional one", async () => {
  const steps = ["no such host", "no such host", "lost", { http: 200, body: ANSWER }] as const;
  const { client, sent, slept, observed } = scriptedEngine([...steps], REGIONAL);
  assert.equal((await client.acquire(ACQUIRE)).outcome, "acquired");
  assert.deepEqual(
    sent.map((request) => new URL(request.url).host),
    ["one.example", "one.example", "two.example", "region.example"],
  );
  assert.deepEqual(slept, [1_000, 3_000, 6_000]);
  assert.deepEqual(
    observed.map(({ attempt }) => attempt),
    [1, 2, 3, 4],
  );
});

Deno.test("start is sent once: the task may run although its reply is lost", async () => {
  const { client, sent, slept } = scriptedEngine(["lost"]);
  const result = await client.start(START);
  assert.ok(result.outcome === "unclear");
  assert.equal(result.error.code, "engine_unreachable");
  assert.match(result.error.detail ?? "", /connection reset/);
  assert.equal(sent.length, 1);
  assert.deepEqual(slept, []);
});

Deno.test("a start whose answer breaks off is unclear, though its status line said 200", async () => {
  const { client, sent } = scriptedEngine(["cut off"]);
  assert.equal((await client.start(START)).outcome, "unclear");
  assert.equal(sent.length, 1);
});

Deno.test("a start that is not answered in time is unclear", async () => {
  const { client, sent } = scriptedEngine(["silent"], { timeoutMs: 20 });
  const result = await client.start(START);
  assert.ok(result.outcome === "unclear");
  assert.match(result.error.detail ?? "", /no answer within 20 ms/);
  assert.equal(sent.length, 1);
});

Deno.test("start is not repeated by the platform's fetch either, when a kept connection breaks", async () => {
  const received: string[] = [];
  const server = createServer((request, response) => {
    const call = request.url?.split("/").at(-1) ?? "";
    received.push(call);
    request.resume().on("end", () => {
      if (call === "acquire") response.end(JSON.stringify(ANSWER));
      else response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const client = createAgoraClient(
    { ...SETTINGS, apiUrls: [`http://127.0.0.1:${address.port}`] },
    { fetch, now: () => Date.now(), sleep: () => Promise.resolve() },
  );
  try {
    assert.equal((await client.acquire(ACQUIRE)).outcome, "acquired");
    assert.equal((await client.start(START)).outcome, "unclear");
    assert.deepEqual(received, ["acquire", "start"]);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

Deno.test("start goes to the host that has just answered its acquire", async () => {
  const { client, sent } = scriptedEngine([
    "lost",
    "lost",
    { http: 200, body: ANSWER },
    { http: 200, body: ANSWER },
  ]);
  await client.acquire(ACQUIRE);
  assert.equal((await client.start(START)).outcome, "started");
  assert.equal(new URL(sent.at(-1)?.url ?? "").host, "two.example");
});

Deno.test("query, updateLayout and stop end as unclear once no host has answered", async () => {
  for (const call of ["query", "updateLayout", "stop"] as const) {
    const { client, sent } = scriptedEngine(["lost", "cut off", "lost"]);
    const result =
      call === "query"
        ? await client.query(QUERY)
        : call === "stop"
          ? await client.stop(STOP)
          : await client.updateLayout(UPDATE_LAYOUT);
    assert.equal(result.outcome, "unclear", call);
    assert.equal(sent.length, 3, call);
  }
});

Deno.test("acquire ends as refused once no host has answered, since a lost one does no harm", async () => {
  const { client } = scriptedEngine(["lost", "lost", "lost"]);
  const result = await client.acquire(ACQUIRE);
  assert.ok(result.outcome === "refused");
  assert.deepEqual([result.error.code, result.error.retry], ["engine_unreachable", "later"]);
});

Deno.test("an answer, even a gateway's 503, is not repeated on another host", async () => {
  const { client, sent } = scriptedEngine([{ http: 503 }]);
  assert.equal((await client.query(QUERY)).outcome, "unclear");
  assert.equal(sent.length, 1);
});

Deno.test("a synchronous stop may take longer than the other calls, an asynchronous one may not", async () => {
  const short = scriptedEngine(["silent", "silent", "silent"], { timeoutMs: 10, pausesMs: [0] });
  assert.equal((await short.client.stop({ ...STOP, asyncStop: true })).outcome, "unclear");
  const own = scriptedEngine(["silent", "silent", "silent"], {
    timeoutMs: 60_000,
    stopTimeoutMs: 10,
    pausesMs: [0],
  });
  const result = await own.client.stop(STOP);
  assert.ok(result.outcome === "unclear");
  assert.match(result.error.detail ?? "", /within 10 ms/);
});

Deno.test("every exchange is told to the observer, without a secret", async () => {
  const { client, observed } = scriptedEngine([
    "lost",
    { http: 200, body: ANSWER, headers: { "x-request-id": "r-9" } },
  ]);
  await client.acquire(ACQUIRE);
  assert.deepEqual(observed, [
    { call: "acquire", host: "one.example", attempt: 1, tookMs: 20, lost: "TypeError: connection reset" },
    { call: "acquire", host: "one.example", attempt: 2, tookMs: 20, httpStatus: 200, requestId: "r-9" },
  ]);
});

Deno.test("the longest call counts every try and every rest, so that a lease can outlive it", () => {
  assert.equal(longestCallMs({ apiUrls: ["a", "b"], timeoutMs: 10_000 }), 34_000);
  assert.equal(longestCallMs({ apiUrls: ["a"], timeoutMs: 10_000, pausesMs: [] }), 20_000);
  assert.deepEqual(failoverOrder(["a", "b", "c"], 1), ["b", "b", "c", "a"]);
});
