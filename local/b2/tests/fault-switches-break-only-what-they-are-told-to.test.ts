import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { StoreUnderTest } from "./running-store.ts";
import { expectRefusal, md5Hex, startStore, texts } from "./running-store.ts";

const controlToken = "control-token-of-this-test";
let store: StoreUnderTest;
beforeAll(async () => {
  store = await startStore({ controlToken });
  await store.send(store.url("seg.ts"), { method: "PUT", body: "x".repeat(100_000) });
});
afterEach(() => store.faults.clear());
afterAll(() => store.remove());

const put = (key: string) => store.send(store.url(key), { method: "PUT", body: "0123456789" });
const control = (init: RequestInit = {}, token = controlToken) =>
  fetch(`${store.address}/__control/faults`, { ...init, headers: { authorization: `Bearer ${token}` } });

describe("a fault", () => {
  test.each([
    ["slow-down", 503, "SlowDown", /reduce your request rate/],
    ["no-tomes", 503, "ServiceUnavailable", "no tomes available"],
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

describe("the control endpoint", () => {
  test("adds, lists and clears faults", async () => {
    const added = await control({ method: "POST", body: JSON.stringify({ kind: "no-tomes", times: 3 }) });
    expect(added.status).toBe(201);
    await expectRefusal(put("a"), 503, "ServiceUnavailable");
    expect(await (await control()).json()).toMatchObject({ faults: [{ kind: "no-tomes", times: 2 }] });
    await control({ method: "DELETE" });
    expect((await put("a")).status).toBe(200);
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
