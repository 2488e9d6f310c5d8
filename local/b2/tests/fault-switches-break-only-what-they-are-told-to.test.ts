import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { REFUSING_FAULTS } from "../fault-effects.ts";
import type { StoreUnderTest } from "./running-store.ts";
import { BUCKET, expectRefusal, md5Hex, startStore, texts } from "./running-store.ts";

const controlToken = "control-token-of-this-test";
let store: StoreUnderTest;
beforeAll(async () => {
  store = await startStore({ controlToken });
  await store.send(store.url("seg.ts"), { method: "PUT", body: "x".repeat(100_000) });
});
afterEach(() => store.faults.clear());
afterAll(() => store.remove());

const put = (key: string) => store.send(store.url(key), { method: "PUT", body: "0123456789" });
const control = (init: RequestInit = {}, token = controlToken, what = "faults") =>
  fetch(`${store.address}/__control/${what}`, { ...init, headers: { authorization: `Bearer ${token}` } });

describe("a fault", () => {
  test.each([
    ["slow-down", 503, "SlowDown", /reduce your request rate/],
    ["no-tomes", 503, "ServiceUnavailable", "no tomes available"],
    ["too-many-requests", 429, "TooManyRequests", /reduce your request rate/],
    ["request-timeout", 408, "RequestTimeout", /timeout period/],
    ["unauthorized", 401, "InvalidAccessKeyId", /Access Key Id/],
    ["key-deleted", 403, "InvalidAccessKeyId", /Access Key Id/],
    ["signature-refused", 403, "SignatureDoesNotMatch", "Signature validation failed"],
    ["access-denied", 403, "AccessDenied", "not entitled"],
    ["length-required", 411, "MissingContentLength", /Content-Length/],
    ["internal-error", 500, "InternalError", /retry your upload/],
    ["transaction-cap", 403, "AccessDenied", /Transaction cap exceeded/],
    ["storage-cap", 403, "AccessDenied", /storage cap exceeded/],
    ["download-cap", 403, "AccessDenied", /cap exceeded/],
  ] as const)("%s refuses as B2 does, as often as it was told to", async (kind, status, code, message) => {
    store.faults.add({ kind, times: 2 });
    await expectRefusal(put("a"), status, code, message);
    await expectRefusal(put("a"), status, code, message);
    expect((await put("a")).status).toBe(200);
  });

  test("every fault that refuses is tried above, and names where it is known from", () => {
    const refusing = Object.entries(REFUSING_FAULTS);
    expect(refusing).toHaveLength(13);
    expect(refusing.filter(([, { source }]) => source === "")).toEqual([]);
  });

  test.each([
    ["bad-gateway", 502],
    ["gateway-timeout", 504],
  ] as const)("%s answers as a proxy does, in no XML", async (kind, status) => {
    store.faults.add({ kind });
    const answer = await put("a");
    expect([answer.status, answer.headers.get("content-type")]).toEqual([status, "text/html"]);
  });

  test("slow-down says when to come back", async () => {
    store.faults.add({ kind: "slow-down", retryAfterSeconds: 7 });
    expect((await put("a")).headers.get("retry-after")).toBe("7");
  });

  test("meets only the operation and the names it is meant for", async () => {
    store.faults.add({ kind: "internal-error", operation: "PutObject", keyContains: "broken" });
    expect((await put("fine")).status).toBe(200);
    expect((await store.send(store.url("broken"))).status).toBe(404);
    expect((await put("a/broken.ts")).status).toBe(500);
  });

  test("does not meet a request that is refused anyway", async () => {
    store.faults.add({ kind: "slow-down" });
    await expectRefusal(fetch(store.url("a")), 403, "AccessDenied");
    expect(store.faults.pending()).toHaveLength(1);
  });

  test("delay waits and then serves", async () => {
    store.faults.add({ kind: "delay", delayMs: 120 });
    const start = performance.now();
    expect((await put("late")).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThan(115);
  });

  test("connection-reset cuts an upload, which then does not exist", async () => {
    store.faults.add({ kind: "connection-reset", afterBytes: 4 });
    await expect(put("cut")).rejects.toThrow();
    expect((await store.send(store.url("cut"))).status).toBe(404);
  });

  test("connection-reset cuts a download in the middle", async () => {
    store.faults.add({ kind: "connection-reset", operation: "GetObject", afterBytes: 1000 });
    await expect(store.send(store.url("seg.ts")).then((answer) => answer.text())).rejects.toThrow();
    expect(await (await store.send(store.url("seg.ts"))).text()).toHaveLength(100_000);
  });

  test("truncated ends a download in the middle without a reset, a list as well", async () => {
    store.faults.add({ kind: "truncated", operation: "GetObject", afterBytes: 1000 });
    await expect(store.send(store.url("seg.ts")).then((answer) => answer.text())).rejects.toThrow();
    store.faults.add({ kind: "truncated", operation: "ListObjectsV2", afterBytes: 50 });
    await expect(store.send(`/${BUCKET}?list-type=2`).then((answer) => answer.text())).rejects.toThrow();
  });

  test("slow keeps the pace it was given, up and down", async () => {
    store.faults.add({ kind: "slow", bytesPerSecond: 40, operation: "PutObject" });
    const start = performance.now();
    expect((await put("slow")).status).toBe(200);
    expect(performance.now() - start).toBeGreaterThan(220);
    store.faults.add({ kind: "slow", bytesPerSecond: 40, operation: "GetObject" });
    const read = performance.now();
    expect(await (await store.send(store.url("slow"))).text()).toBe("0123456789");
    expect(performance.now() - read).toBeGreaterThan(220);
  });

  test("wrong-etag does what was asked and tells another etag", async () => {
    store.faults.add({ kind: "wrong-etag" });
    const told = (await put("etag")).headers.get("etag");
    const kept = (await store.send(store.url("etag"), { method: "HEAD" })).headers.get("etag");
    expect(kept).toBe(`"${md5Hex("0123456789")}"`);
    expect(told).toMatch(/^"[0-9a-f]{32}"$/);
    expect(told).not.toBe(kept);
  });

  test("error-in-200 says 200, then an error, and has done nothing", async () => {
    store.faults.add({ kind: "error-in-200", operation: "CopyObject" });
    const headers = { "x-amz-copy-source": `/${BUCKET}/seg.ts` };
    const answer = await store.send(store.url("copied"), { method: "PUT", headers });
    expect(answer.status).toBe(200);
    expect(texts(await answer.text(), "Code")).toEqual(["InternalError"]);
    expect((await store.send(store.url("copied"))).status).toBe(404);
  });

  test("lost-reply to Complete: the object is there, and asking again is NoSuchUpload", async () => {
    const started = await store.send(`${store.url("lost")}?uploads`, { method: "POST" });
    const url = `${store.url("lost")}?uploadId=${texts(await started.text(), "UploadId")[0]}`;
    await store.send(`${url}&partNumber=1`, { method: "PUT", body: "part" });
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${md5Hex("part")}</ETag></Part></CompleteMultipartUpload>`;
    store.faults.add({ kind: "lost-reply", operation: "CompleteMultipartUpload" });
    await expect(store.send(url, { method: "POST", body })).rejects.toThrow();
    await expectRefusal(store.send(url, { method: "POST", body }), 404, "NoSuchUpload");
    expect((await store.send(store.url("lost"), { method: "HEAD" })).headers.get("content-length")).toBe("4");
  });
});

describe("a storm of faults", () => {
  const kinds = ["slow-down", "internal-error"] as const;
  const outcomes = async (seed: string, order: string[]) => {
    store.faults.begin({ seed, share: 0.5, kinds: [...kinds], operations: ["PutObject"] });
    const answers = await Promise.all(order.map(async (key) => [key, (await put(key)).status] as const));
    return Object.fromEntries(answers);
  };
  const keys = Array.from({ length: 40 }, (_, number) => `storm-${number}`);

  test("is the same for the same seed, in whatever order requests come, and another for another seed", async () => {
    const first = await outcomes("seed", keys);
    expect(new Set(Object.values(first))).toEqual(new Set([200, 500, 503]));
    expect(await outcomes("seed", keys.toReversed())).toEqual(first);
    expect(await outcomes("other seed", keys)).not.toEqual(first);
    expect(store.faults.met().at(-1)).toMatchObject({ operation: "PutObject" });
  });

  test("lets a request through that was met as often in a row as allowed", async () => {
    store.faults.begin({ seed: 1, share: 1, kinds: ["internal-error"], mostInARow: 2 });
    const statuses = [];
    for (let time = 0; time < 6; time++) statuses.push((await put("patient")).status);
    expect(statuses).toEqual([500, 500, 200, 500, 500, 200]);
  });
});

describe("the record of uploads", () => {
  test("knows what is under way, how far, and what broke off", async () => {
    store.faults.add({ kind: "slow", bytesPerSecond: 100, operation: "PutObject" });
    const sender = new AbortController();
    const sent = store
      .send(store.url("killed"), { method: "PUT", body: "x".repeat(5_000), signal: sender.signal })
      .catch(() => undefined);
    const record = async () => (await (await control({}, controlToken, "requests")).json()) as Requests;
    await expect
      .poll(record, { timeout: 20_000 })
      .toMatchObject({ underWay: [{ key: "killed", sizeBytes: 5_000 }] });
    sender.abort();
    await sent;
    store.faults.add({ kind: "connection-reset", operation: "UploadPart", afterBytes: 4 });
    const started = await store.send(`${store.url("parts")}?uploads`, { method: "POST" });
    const query = `uploadId=${texts(await started.text(), "UploadId")[0]}&partNumber=7`;
    await expect(
      store.send(`${store.url("parts")}?${query}`, { method: "PUT", body: new Uint8Array(3_000_000) }),
    ).rejects.toThrow();
    await expect
      .poll(record, { timeout: 20_000 })
      .toMatchObject({ brokenOff: expect.arrayContaining([expect.objectContaining({ partNumber: 7 })]) });
  });
});

interface Requests {
  underWay: unknown[];
  brokenOff: unknown[];
}

describe("the control endpoint", () => {
  test("adds, lists and clears faults", async () => {
    const added = await control({ method: "POST", body: JSON.stringify({ kind: "no-tomes", times: 3 }) });
    expect(added.status).toBe(201);
    await expectRefusal(put("a"), 503, "ServiceUnavailable");
    expect(await (await control()).json()).toMatchObject({ faults: [{ kind: "no-tomes", times: 2 }] });
    await control({ method: "DELETE" });
    expect((await put("a")).status).toBe(200);
  });

  test("begins a storm where a seed is given, and tells it", async () => {
    const storm = { seed: 42, share: 0.25, kinds: ["no-tomes"] };
    expect((await control({ method: "POST", body: JSON.stringify(storm) })).status).toBe(201);
    expect(await (await control()).json()).toMatchObject({ storm: { seed: "42", share: 0.25 } });
    expect((await control({ method: "POST", body: JSON.stringify({ ...storm, share: 2 }) })).status).toBe(
      400,
    );
    await control({ method: "DELETE" });
    expect(await (await control()).json()).toMatchObject({ storm: null });
  });

  test("knows its three subjects and their verbs only", async () => {
    expect((await control({}, controlToken, "weather")).status).toBe(404);
    expect((await control({ method: "PATCH" })).status).toBe(405);
    expect((await control({ method: "DELETE" }, controlToken, "requests")).status).toBe(405);
  });

  test("refuses a wrong token, an unknown fault and a body that is no JSON", async () => {
    expect((await control({}, "wrong-token-wrong-token")).status).toBe(401);
    expect((await control({ method: "POST", body: '{"kind":"meteor"}' })).status).toBe(400);
    expect((await control({ method: "POST", body: "kind" })).status).toBe(400);
  });

  test("does not exist without a token in the settings", async () => {
    const shut = await startStore();
    try {
      await expectRefusal(fetch(`${shut.address}/__control/faults`), 403, "AccessDenied");
    } finally {
      await shut.remove();
    }
  });
});
