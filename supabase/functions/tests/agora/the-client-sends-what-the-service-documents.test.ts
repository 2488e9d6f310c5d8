import assert from "node:assert/strict";
import replies from "../fixtures/agora/replies.json" with { type: "json" };
import { ACQUIRE, QUERY, START, STOP, UPDATE_LAYOUT } from "./requests-for-tests.ts";
import { SETTINGS, scriptedEngine } from "./scripted-engine.ts";

const ROOT = `https://one.example/v1/apps/${SETTINGS.appId}/cloud_recording`;
const TASK = `${ROOT}/resourceid/${replies.resourceId}/sid/${replies.sid}/mode/mix`;
const TASK_ANSWER = { cname: "room1", uid: "4000000001", resourceId: replies.resourceId, sid: replies.sid };

Deno.test("acquire posts channel, uid and lifetime, signed in with the customer's credentials", async () => {
  const { client, sent } = scriptedEngine([{ http: 200, body: TASK_ANSWER }]);
  assert.deepEqual(await client.acquire(ACQUIRE), { outcome: "acquired", resourceId: replies.resourceId });
  assert.equal(sent[0]?.method, "POST");
  assert.equal(sent[0]?.url, `${ROOT}/acquire`);
  assert.equal(sent[0]?.headers.get("authorization"), `Basic ${btoa("customer-7:secret-of-the-customer")}`);
  assert.equal(sent[0]?.headers.get("content-type"), "application/json");
  assert.deepEqual(sent[0]?.body, {
    cname: "room1",
    uid: "4000000001",
    clientRequest: { scene: 0, resourceExpiredHour: 24 },
  });
});

Deno.test("start posts token, storage and picture below clientRequest and gives the sid", async () => {
  const { client, sent } = scriptedEngine([{ http: 200, body: TASK_ANSWER }]);
  assert.deepEqual(await client.start(START), { outcome: "started", sid: replies.sid });
  assert.equal(sent[0]?.url, `${ROOT}/resourceid/${replies.resourceId}/mode/mix/start`);
  const { cname, uid, resourceId: _, ...clientRequest } = START;
  assert.deepEqual(sent[0]?.body, { cname, uid, clientRequest });
});

Deno.test("start that was sent before tells the sid where the service does", async () => {
  const body = { code: 7, reason: "already started", sid: replies.sid };
  const { client } = scriptedEngine([{ http: 201, body }]);
  assert.deepEqual(await client.start(START), { outcome: "already_started", sid: replies.sid });
});

Deno.test("start answered 201 with a sid and without a code has started", async () => {
  const { client } = scriptedEngine([{ http: 201, body: TASK_ANSWER }]);
  assert.deepEqual(await client.start(START), { outcome: "started", sid: replies.sid });
});

for (const { name, body, ...told } of replies.queries) {
  Deno.test(`query reads ${name}`, async () => {
    const { client, sent } = scriptedEngine([{ http: 200, body }]);
    assert.deepEqual(await client.query(QUERY), { outcome: "running", ...told });
    assert.equal(sent[0]?.method, "GET");
    assert.equal(sent[0]?.url, `${TASK}/query`);
    assert.equal(sent[0]?.headers.get("content-type"), null);
  });
}

Deno.test("updateLayout posts the whole layout", async () => {
  const { client, sent } = scriptedEngine([{ http: 200, body: TASK_ANSWER }]);
  assert.deepEqual(await client.updateLayout(UPDATE_LAYOUT), { outcome: "updated" });
  assert.equal(sent[0]?.url, `${TASK}/updateLayout`);
  assert.deepEqual(sent[0]?.body, { cname: "room1", uid: "4000000001", clientRequest: UPDATE_LAYOUT.layout });
});

for (const { name, body, files, uploadingStatus } of replies.stops) {
  Deno.test(`stop reads ${name}`, async () => {
    const { client, sent } = scriptedEngine([{ http: 200, body }]);
    assert.deepEqual(await client.stop(STOP), { outcome: "stopped", files, uploadingStatus });
    assert.equal(sent[0]?.url, `${TASK}/stop`);
    assert.deepEqual(sent[0]?.body, {
      cname: "room1",
      uid: "4000000001",
      clientRequest: { async_stop: false },
    });
  });
}

Deno.test("an asynchronous stop is only accepted, whatever it tells", async () => {
  const { client, sent } = scriptedEngine([{ http: 200, body: replies.stops[0]?.body }]);
  assert.deepEqual(await client.stop({ ...STOP, asyncStop: true }), { outcome: "accepted" });
  assert.deepEqual(sent[0]?.body, { cname: "room1", uid: "4000000001", clientRequest: { async_stop: true } });
});
