import { afterAll, beforeAll, expect, test } from "vitest";
import type { Unconfirmed } from "../unconfirmed.ts";
import { unconfirmedRules } from "../unconfirmed.ts";
import {
  clientOf,
  openReceiver,
  openSink,
  rtcToken,
  startEngine,
  startRequestFor,
  storageFor,
  until,
  webhookSecret,
} from "./stage.ts";

type Settings = NonNullable<Parameters<typeof startEngine>[0]>;
type Stage = Awaited<ReturnType<typeof stageWith>>;

const cname = "room";
const nowhere = "127.0.0.1:9";
let sink: Awaited<ReturnType<typeof openSink>>;
let lastUid = 4_250_000_000;

beforeAll(async () => {
  sink = await openSink();
});
afterAll(() => sink.close());

async function stageWith(unconfirmed: Settings["unconfirmed"], more: Settings = {}) {
  const receiver = await openReceiver();
  const webhook = { url: receiver.url, secret: webhookSecret, resendAfterMs: [0, 10], ...more.webhook };
  const engine = await startEngine({ publishers: "none", ...more, webhook, unconfirmed: unconfirmed ?? {} });
  const client = clientOf(engine.address);
  const begin = (request: Record<string, unknown> = {}, endpoint = nowhere, uid = String(++lastUid)) => {
    return client.begin(cname, uid, startRequestFor(cname, uid, endpoint, request));
  };
  return { receiver, engine, client, begin };
}

async function on<Result>(
  unconfirmed: Settings["unconfirmed"],
  more: Settings,
  act: (stage: Stage) => Promise<Result>,
): Promise<Result> {
  const stage = await stageWith(unconfirmed, more);
  try {
    return await act(stage);
  } finally {
    await stage.engine.stop();
    await stage.receiver.close();
  }
}

/** What comes of each way of each member, by a look at the service from outside. */
interface Ways<Name extends keyof Unconfirmed> {
  settings?: Settings;
  look(stage: Stage): Promise<unknown>;
  ways: [Unconfirmed[Name], unknown][];
}

const recording: Settings = { publishers: "synthetic", sliceSeconds: 0.5 };
const startTwice = async ({ client, begin }: Stage) => {
  const task = await begin();
  const reply = await client.start(
    task.resourceId,
    cname,
    task.uid,
    startRequestFor(cname, task.uid, nowhere),
  );
  return { status: reply.status, hasSid: reply.body.sid === task.sid };
};
/** The first file that came into the bucket, and the request it came by. */
async function firstUpload({ begin, client }: Stage, storageConfig: unknown = storageFor(sink.host)) {
  const task = await begin({ storageConfig });
  const put = await until("a file", () => sink.puts.find(({ key }) => key.includes(task.sid)));
  await client.stop(task);
  return { put, task };
}
const header = (name: string) => async (stage: Stage) => (await firstUpload(stage)).put.headers[name];
async function listed({ begin, client }: Stage) {
  const task = await begin({}, sink.host);
  await client.reaches(task, 5);
  const { body } = await client.stop(task);
  const [file] = body.serverResponse.fileList;
  return { task, file };
}
const refusedDelivery = async ({ receiver, begin }: Stage, status: number) => {
  receiver.answer.status = status;
  receiver.answer.body = status === 204 ? "" : "{}";
  await begin();
  const isResent = () =>
    new Set(receiver.of(40).map(({ notifyMs }) => notifyMs)).size > 1 || receiver.of(40).length > 1;
  await until("event 30", () => receiver.of(30).length > 0);
  await until("its fate is clear", isResent, 400).catch(() => undefined);
  return receiver.of(40);
};

const open: { [Name in keyof Unconfirmed]-?: Ways<Name> } = {
  statusOfOlderCodes: {
    look: async ({ client }) => (await client.query({ resourceId: "x", sid: "0".repeat(32) })).status,
    ways: [
      [400, 400],
      [404, 404],
      [500, 500],
    ],
  },
  channelNameCode: {
    look: async ({ client }) => (await client.acquire("a/b", "1")).body.code,
    ways: [
      [401, 401],
      [1013, 1013],
    ],
  },
  layoutErrorCode: {
    look: async ({ client, begin }) => {
      const task = await begin();
      const path = `/resourceid/${task.resourceId}/sid/${task.sid}/mode/mix/updateLayout`;
      const body = { cname, uid: task.uid, clientRequest: { mixedVideoLayout: 9 } };
      return (await client.send("POST", path, body)).body.code;
    },
    ways: [
      [2, 2],
      [1028, 1028],
    ],
  },
  sidInAlreadyStarted: {
    look: startTwice,
    ways: [
      [false, { status: 201, hasSid: false }],
      [true, { status: 201, hasSid: true }],
    ],
  },
  asyncStopTells: {
    settings: recording,
    look: async ({ begin, client }) => {
      const task = await begin({}, sink.host);
      await client.reaches(task, 5);
      return Object.keys((await client.stop(task, { async_stop: true })).body.serverResponse).sort();
    },
    ways: [
      ["nothing", []],
      ["unknown status", ["uploadingStatus"]],
      ["files", ["fileList", "fileListMode", "uploadingStatus"]],
    ],
  },
  slowStop: {
    settings: { ...recording, slowStopMs: 10 },
    look: async ({ begin, client, engine }) => {
      const task = await begin({}, sink.host);
      await client.reaches(task, 5);
      engine.control.switchOn({ kind: "slow_upload", ms: 100 });
      const { status, body } = await client.stop(task);
      return [status, body.code];
    },
    ways: [
      ["206 with code 50", [206, 50]],
      ["206 alone", [206, undefined]],
      ["400 with code 50", [400, 50]],
    ],
  },
  queryWhileExiting: {
    settings: { exitMs: 2_000 },
    look: async ({ begin, client }) => {
      const task = await begin();
      await client.stop(task);
      const { body } = await until("it leaves", async () => {
        const reply = await client.query(task);
        return (reply.body.code ?? reply.body.serverResponse?.status) >= 6 && reply;
      });
      return body.code === 501 ? "501" : "status";
    },
    ways: [
      ["status", "status"],
      ["501", "501"],
    ],
  },
  unknownStatus: {
    settings: { ...recording, unconfirmed: { asyncStopTells: "unknown status" } },
    look: async ({ begin, client }) => {
      const task = await begin({}, sink.host);
      await client.reaches(task, 5);
      return (await client.stop(task, { async_stop: true })).body.serverResponse.uploadingStatus;
    },
    ways: [
      ["unknown", "unknown"],
      ["unknow", "unknow"],
    ],
  },
  prefixInFileNames: {
    settings: recording,
    look: async (stage) => (await listed(stage)).file.fileName.startsWith("recordings/abc123/"),
    ways: [
      [false, false],
      [true, true],
    ],
  },
  hyphenInPrefix: {
    settings: recording,
    look: async (stage) => {
      const storageConfig = { ...storageFor(sink.host), fileNamePrefix: ["rec-1", "a_b"] };
      return firstUpload(stage, storageConfig).then(
        ({ put }) => put.key.split("/").slice(1, 3),
        () => "refused",
      );
    },
    ways: [
      ["refused", "refused"],
      ["left out", ["rec1", "ab"]],
    ],
  },
  sliceStartTimeIn: {
    settings: recording,
    look: async (stage) => String((await listed(stage)).file.sliceStartTime).length,
    ways: [
      ["ms", 13],
      ["s", 10],
    ],
  },
  endpointWithScheme: {
    settings: recording,
    look: async ({ begin, client, receiver }) => {
      const task = await begin({ storageConfig: storageFor(`http://${sink.host}`) });
      return until("its fate", async () => {
        if (receiver.of(1).length > 0) return "refused";
        return (await client.query(task)).body.serverResponse?.status === 5 && "taken";
      });
    },
    ways: [
      ["refused", "refused"],
      ["taken", "taken"],
    ],
  },
  addressing: {
    settings: recording,
    look: async (stage) => {
      const { put } = await firstUpload(stage, storageFor(sink.host.replace("127.0.0.1", "localhost")));
      return [put.headers.host?.split(":")[0], put.key.split("/")[0]];
    },
    ways: [
      ["path", ["localhost", "calls"]],
      ["virtual host", ["calls.localhost", "recordings"]],
    ],
  },
  uploadContentType: {
    settings: recording,
    look: header("content-type"),
    ways: [
      [undefined, undefined],
      ["video/mp2t", "video/mp2t"],
    ],
  },
  uploadChecksum: {
    settings: recording,
    look: async (stage) => {
      const { headers } = (await firstUpload(stage)).put;
      return [headers["content-md5"], headers["x-amz-checksum-sha256"]].map((value) => value?.length);
    },
    ways: [
      ["none", [undefined, undefined]],
      ["md5", [24, undefined]],
      ["sha256", [undefined, 44]],
    ],
  },
  uploadAcl: {
    settings: recording,
    look: header("x-amz-acl"),
    ways: [
      ["none", undefined],
      ["private", "private"],
    ],
  },
  uploadRegion: {
    settings: recording,
    look: async (stage) => (await firstUpload(stage)).put.headers.authorization?.split("/")[2],
    ways: [
      [undefined, "us-west-004"],
      ["us-east-1", "us-east-1"],
    ],
  },
  expiryEndsTask: {
    look: async ({ begin, client, engine, receiver }) => {
      const task = await begin();
      await client.reaches(task, 4);
      engine.control.switchOn({ kind: "end_control", sid: task.sid });
      await client.isGone(task);
      const left = () => receiver.of(41).length > 0;
      return until("it leaves", left, 300).catch(() => false);
    },
    ways: [
      [false, false],
      [true, true],
    ],
  },
  tokenBeyondADay: {
    look: async ({ begin, client, receiver }) => {
      const uid = String(++lastUid);
      const task = await begin({ token: rtcToken({ cname, uid, expire: 90_000 }) }, nowhere, uid);
      return until("its fate", async () => {
        if (receiver.of(1).length > 0) return "refused";
        return (await client.query(task)).body.serverResponse?.status === 4 && "recorded";
      });
    },
    ways: [
      ["a day", "recorded"],
      ["refused", "refused"],
    ],
  },
  rateBesideCeiling: {
    settings: { maxConcurrentTasks: 20 },
    look: async ({ client }) =>
      (await Promise.all(["1", "2", "3"].map((uid) => client.acquire(cname, uid))))
        .map(({ status }) => status)
        .sort(),
    ways: [
      [false, [200, 200, 200]],
      [true, [200, 200, 400]],
    ],
  },
  areaInPath: {
    look: async ({ client, engine }) => {
      const url = client.base.replace(engine.address, `${engine.address}/eu`);
      return (await client.send("POST", `${url}/acquire`, { cname, uid: "1", clientRequest: {} })).status;
    },
    ways: [
      [false, 404],
      [true, 200],
    ],
  },
  noticeIdOfResend: {
    look: async (stage) => {
      const tries = await refusedDelivery(stage, 500);
      return new Set(tries.map(({ noticeId }) => noticeId)).size === 1 ? "same" : "new";
    },
    ways: [
      ["same", "same"],
      ["new", "new"],
    ],
  },
  deliveredBy: {
    look: async (stage) => ((await refusedDelivery(stage, 204)).length > 1 ? "sent again" : "delivered"),
    ways: [
      ["200 with JSON", "sent again"],
      ["any 2xx", "delivered"],
    ],
  },
  sequencePer: {
    look: async ({ begin, receiver }) => {
      await begin();
      const event = await until("event 30", () => receiver.of(30)[0]);
      // 40 is the recorder's first event, 30 the uploader's.
      return event.payload.sequence;
    },
    ways: [
      ["task", 1],
      ["module", 0],
    ],
  },
  serviceScene: {
    look: async ({ begin, receiver }) => {
      await begin();
      return (await until("event 40", () => receiver.of(40)[0])).payload.serviceScene;
    },
    ways: [
      ["mix_record", "mix_record"],
      ["rtc_record", "rtc_record"],
    ],
  },
  eventsWithoutSchema: {
    look: async ({ begin, receiver }) => {
      await begin();
      await until("event 30", () => receiver.of(30)[0]);
      return until("them", () => [13, 46, 47].every((type) => receiver.of(type).length === 1), 300).catch(
        () => false,
      );
    },
    ways: [
      [false, false],
      [true, true],
    ],
  },
  testEventNames: {
    look: async ({ engine, receiver }) => {
      await engine.control.healthCheck([40]);
      return Object.keys(receiver.events[0]?.payload ?? {})[0];
    },
    ways: [
      ["cname", "cname"],
      ["channelName", "channelName"],
    ],
  },
  testEventSigned: {
    look: async ({ engine, receiver }) => {
      await engine.control.healthCheck([40]);
      return receiver.events[0]?.headers["agora-signature-v2"] !== undefined;
    },
    ways: [
      [true, true],
      [false, false],
    ],
  },
};

for (const [name, { settings = {}, look, ways }] of Object.entries(open)) {
  for (const [value, seen] of ways) {
    test.concurrent(`${name}: ${value === undefined ? "not given" : value}`, async ({ expect }) => {
      const unconfirmed = { ...settings.unconfirmed, ...(value === undefined ? {} : { [name]: value }) };
      expect(await on(unconfirmed, settings, look)).toEqual(seen);
    });
  }
}

test("each thing that is left open is tried in at least two ways", () => {
  expect(Object.keys(open).sort()).toEqual(Object.keys(unconfirmedRules.shape).sort());
  for (const [name, { ways }] of Object.entries(open)) {
    expect(new Set(ways.map(([, seen]) => JSON.stringify(seen))).size, name).toBe(ways.length);
  }
});
