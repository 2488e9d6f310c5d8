import assert from "node:assert/strict";
import { EVENT_FACTS } from "../../_shared/agora/event-facts.ts";
import { parseAgoraEvent } from "../../_shared/agora/events.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import fixture from "../fixtures/agora/events.json" with { type: "json" };
import signatures from "../fixtures/agora/signature-vectors.json" with { type: "json" };

const SID = "38f8e3cfdc474cd56fc1ceba380d7e1a";
const ENVELOPE = {
  noticeId: "0123456789abcdef0123456789abcdef",
  productId: 3,
  notifiedAtMs: 1_700_000_000_026,
  happenedAtMs: 1_700_000_000_000,
  sid: SID,
  channel: "room1",
  recorderUid: "527841",
  sequence: 3,
  scene: "mix_record",
  isTest: false,
};

for (const { event, facts } of fixture.events) {
  Deno.test(`event ${event.eventType} ${JSON.stringify(event.payload.details).slice(0, 80)}`, () => {
    const isMereSignOfLife = [33, 42, 43, 44, 45].includes(event.eventType);
    const parsed: Record<string, unknown> = { ...parseAgoraEvent(event) };
    const expected: Record<string, unknown> = {
      ...ENVELOPE,
      eventType: event.eventType,
      isMereSignOfLife,
      ...facts,
    };
    if (typeof expected.error === "object") {
      const { code, blame, retry } = parsed.error as { code: string; blame: string; retry: string };
      parsed.error = { code, blame, retry };
    }
    assert.deepEqual(parsed, expected);
  });
}

Deno.test("the fixture holds every type we read", () => {
  const told = new Set(fixture.events.map(({ event }) => event.eventType));
  assert.deepEqual(
    [...EVENT_FACTS.keys()].filter((eventType) => !told.has(eventType)),
    [],
  );
});

Deno.test("the signed sample of an upload gives its files with times in milliseconds", () => {
  const event = parseAgoraEvent(JSON.parse(signatures.vectors[2]?.body ?? ""));
  assert.ok(event.kind === "uploaded");
  assert.deepEqual(
    event.files.map((file) => [file.fileName, file.sliceStartTimeMs]),
    [
      [`${SID}_room1_0.mp4`, 1_699_990_000_000],
      [`${SID}_room1.m3u8`, 1_699_990_000_000],
    ],
  );
});

function withEvent(change: Record<string, unknown>, payload: Record<string, unknown> = {}) {
  return {
    noticeId: "n",
    productId: 3,
    eventType: 40,
    notifyMs: 1_700_000_000_000,
    payload: {
      cname: "room1",
      uid: "1",
      sid: SID,
      details: { msgName: "recorder_started", status: 0 },
      ...payload,
    },
    ...change,
  };
}

const UNKNOWN: [string, unknown, RegExp][] = [
  ["a type nobody documents", withEvent({ eventType: 47 }), /event type 47/],
  ["another product's event of the same number", withEvent({ productId: 1 }), /product 1/],
  ["a known type without its facts", withEvent({ eventType: 12 }), /newUid/],
  [
    "a known type with a malformed list",
    withEvent({ eventType: 31 }, { details: { fileList: 7 } }),
    /fileList/,
  ],
  ["a known type without payload", withEvent({ eventType: 41, payload: undefined }), /leaveCode/],
];

for (const [what, json, why] of UNKNOWN) {
  Deno.test(`${what} is kept as unknown, with the reason`, () => {
    const event = parseAgoraEvent(json);
    assert.ok(event.kind === "unknown");
    assert.match(event.why, why);
    assert.equal(event.noticeId, "n");
  });
}

Deno.test("another product's event is no sign of life of a recording", () => {
  assert.equal(parseAgoraEvent(withEvent({ productId: 1, eventType: 43 })).isMereSignOfLife, false);
});

Deno.test("the console's test event is recognised", () => {
  for (const payload of [{ cname: "test_webhook" }, { cname: undefined, channelName: "test_webhook" }]) {
    assert.equal(parseAgoraEvent(withEvent({}, payload)).isTest, true);
  }
});

Deno.test("the task is found in the payload or beside it, and members we do not know are ignored", () => {
  const event = parseAgoraEvent(
    withEvent({ sid: "b".repeat(32), more: 1 }, { sid: undefined, uid: 7, more: {} }),
  );
  assert.equal(event.sid, "b".repeat(32));
  assert.equal(event.recorderUid, "7");
  assert.equal(event.kind, "recorder_started");
});

Deno.test("what is no envelope is refused, naming the member", () => {
  for (const json of [null, "x", [], {}, withEvent({ noticeId: "" }), withEvent({ eventType: "40" })]) {
    assert.throws(
      () => parseAgoraEvent(json),
      (thrown) => thrown instanceof RecorderFailure && thrown.error.code === "engine_event_malformed",
    );
  }
});
