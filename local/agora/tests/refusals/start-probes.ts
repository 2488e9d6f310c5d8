import { startRequestFor, until } from "../stage.ts";
import { resourceOfAnotherApp } from "./gateway-probes.ts";
import { acquired, begin, cname, freshUid, member, nowhere, type Probe, type ProbeStage } from "./probe.ts";

const requestOf = (uid: string) => startRequestFor(cname, uid, nowhere);
const starting =
  (body: (uid: string) => unknown): Probe["ask"] =>
  async (stage) => {
    const uid = freshUid();
    return stage.client.send("POST", `/resourceid/${await acquired(stage, uid)}/mode/mix/start`, body(uid));
  };

async function inMode(stage: ProbeStage, mode: string) {
  const uid = freshUid();
  const path = `/resourceid/${await acquired(stage, uid)}/mode/${mode}/start`;
  return stage.client.send("POST", path, { cname, uid, clientRequest: requestOf(uid) });
}

export const startProbes = {
  "start.body": [
    // Without a cname it does not fit the resourceId either.
    {
      name: "no cname",
      ask: starting((uid) => ({ uid, clientRequest: requestOf(uid) })),
      otherwise: "start.resource_mismatch",
    },
    {
      name: "no clientRequest",
      ask: starting((uid) => ({ uid, cname })),
      otherwise: "start.services",
    },
  ],
  "start.uid": {
    ask: starting((uid) => ({ uid: Number(uid), cname, clientRequest: requestOf(uid) })),
    otherwise: "start.resource_mismatch",
  },
  "start.resource_unreadable": {
    ask: async (stage) => {
      const uid = freshUid();
      return stage.client.start(`x${await acquired(stage, uid)}`, cname, uid, requestOf(uid));
    },
  },
  "start.resource_of_another_app": {
    ask: async ({ client }) => {
      const uid = freshUid();
      return client.start(await resourceOfAnotherApp(uid), cname, uid, requestOf(uid));
    },
  },
  "start.resource_mismatch": [
    {
      name: "another channel",
      ask: async (stage) => {
        const uid = freshUid();
        return stage.client.start(await acquired(stage, uid), "room_2", uid, requestOf(uid));
      },
    },
    {
      name: "another uid",
      ask: async (stage) => {
        const uid = freshUid();
        return stage.client.start(await acquired(stage, freshUid()), cname, uid, requestOf(uid));
      },
    },
  ],
  "start.already_started": [
    {
      name: "while it runs",
      ask: async (stage) => {
        const task = await begin(stage);
        return stage.client.start(task.resourceId, cname, task.uid, requestOf(task.uid));
      },
      otherwise: "start.task_conflict",
    },
    {
      name: "when it is over",
      settings: { joinMs: 20, exitMs: 20 },
      ask: async (stage) => {
        const task = await begin(stage);
        await stage.client.stop(task);
        await until("its end", () => stage.engine.control.tasks().every(({ sid }) => sid !== task.sid));
        return stage.client.start(task.resourceId, cname, task.uid, requestOf(task.uid));
      },
    },
  ],
  "start.resource_expired": {
    settings: { resourceIdSeconds: 0.02 },
    ask: async (stage) => {
      const uid = freshUid();
      const resourceId = await acquired(stage, uid);
      const end = Date.now() + 30;
      await until("its five minutes are over", () => Date.now() > end);
      return stage.client.start(resourceId, cname, uid, requestOf(uid));
    },
  },
  "start.mode": ["individual", "web", "raw"].map((mode) => ({
    name: mode,
    ask: (stage: ProbeStage) => inMode(stage, mode),
  })),
  "start.scene": {
    ask: async ({ client }) => {
      const uid = freshUid();
      const { body } = await client.acquire(cname, uid, { scene: 1 });
      return client.start(body.resourceId, cname, uid, requestOf(uid));
    },
  },
  "start.request_hash": {
    ask: async ({ client }) => {
      const uid = freshUid();
      const request = requestOf(uid);
      const { body } = await client.acquire(cname, uid, { startParameter: request });
      return client.start(body.resourceId, cname, uid, { ...request, token: "another" });
    },
  },
  "start.services": member({ recordingConfig: undefined }),
  "start.task_conflict": {
    ask: async (stage) => {
      const task = await begin(stage);
      return stage.client.start(await acquired(stage, task.uid), cname, task.uid, requestOf(task.uid));
    },
  },
  "start.ceiling": {
    settings: { maxConcurrentTasks: 1 },
    ask: async (stage) => {
      const uid = freshUid();
      const spare = await acquired(stage, uid);
      await begin(stage);
      return stage.client.start(spare, cname, uid, requestOf(uid));
    },
  },
} satisfies Record<string, Probe | Probe[]>;

const video = "recordingConfig.transcodingConfig";
const recording = "recordingConfig";
const place = { x_axis: 0, y_axis: 0, width: 1, height: 1 };

export const startRequestProbes = {
  "start.token": member({ token: 7 }),
  "start.recording_config": member({ recordingConfig: "all" }, { otherwise: "start.channel_type" }),
  "start.channel_type": [
    member({ [`${recording}.channelType`]: undefined }, { name: "none" }),
    member({ [`${recording}.channelType`]: 2 }, { name: "2" }),
  ],
  "start.stream_types": member({ [`${recording}.streamTypes`]: 3 }),
  "start.video_stream_type": member({ [`${recording}.videoStreamType`]: 2 }),
  "start.max_idle_time": [4, 2_592_001].map((seconds) =>
    member({ [`${recording}.maxIdleTime`]: seconds }, { name: String(seconds) }),
  ),
  "start.uid_lists": [
    member(
      { [`${recording}.subscribeAudioUids`]: Array.from({ length: 33 }, (_, index) => `${index + 1}`) },
      { name: "33 uids" },
    ),
    member({ [`${recording}.unsubscribeVideoUids`]: ["alice"] }, { name: "a name" }),
    member({ [`${recording}.subscribeVideoUids`]: [] }, { name: "none at all" }),
  ],
  "start.audio_lists_exclude": member({
    [`${recording}.subscribeAudioUids`]: ["1"],
    [`${recording}.unSubscribeAudioUids`]: ["2"],
  }),
  "start.video_lists_exclude": member({
    [`${recording}.subscribeVideoUids`]: ["1"],
    [`${recording}.unsubscribeVideoUids`]: ["2"],
  }),
  "start.video_lists_for_sound": member({
    [`${recording}.streamTypes`]: 0,
    [`${recording}.subscribeVideoUids`]: ["1"],
  }),
  "start.audio_lists_for_pictures": member({
    [`${recording}.streamTypes`]: 1,
    [`${recording}.unsubscribeAudioUids`]: ["1"],
  }),
  "start.subscribe_uid_group": member({ [`${recording}.subscribeUidGroup`]: 6 }),
  "start.decryption_mode": member({
    [`${recording}.decryptionMode`]: 9,
    [`${recording}.secret`]: "s",
    [`${recording}.salt`]: Buffer.alloc(32).toString("base64"),
  }),
  "start.decryption_secret": member({ [`${recording}.decryptionMode`]: 1 }),
  "start.decryption_salt": member({ [`${recording}.decryptionMode`]: 7, [`${recording}.secret`]: "s" }),
  "start.audio_profile": member({ [`${recording}.audioProfile`]: 3 }),
  "start.private_params": member({ [`${recording}.privateParams`]: "correctEXTINF" }),
  "start.width": member({ [`${video}.width`]: 1921, [`${video}.height`]: 100 }),
  "start.height": member({ [`${video}.height`]: 1921, [`${video}.width`]: 100 }),
  "start.pixels": member({ [`${video}.width`]: 1920, [`${video}.height`]: 1081 }),
  "start.fps": member({ [`${video}.fps`]: 12.5 }),
  "start.bitrate": member({ [`${video}.bitrate`]: 6501 }),
  "start.transcoding_incomplete": member({ [`${video}.bitrate`]: undefined }),
  "start.layout": member({ [`${video}.mixedVideoLayout`]: 4 }),
  "start.background_color": member({ [`${video}.backgroundColor`]: "black" }),
  "start.layout_config_length": member({
    [`${video}.mixedVideoLayout`]: 3,
    [`${video}.layoutConfig`]: Array.from({ length: 18 }, () => place),
  }),
  "start.layout_config": member({
    [`${video}.mixedVideoLayout`]: 3,
    [`${video}.layoutConfig`]: [{ x_axis: 0, y_axis: 0, width: 1 }],
  }),
  "start.layout_config_alone": member({
    [`${video}.mixedVideoLayout`]: 1,
    [`${video}.layoutConfig`]: [place],
  }),
  "start.background_config": member({ [`${video}.backgroundConfig`]: [{ uid: "1" }] }),
  "start.av_file_type": [["mp4"], ["hls", "mp3"], []].map((types) =>
    member({ "recordingFileConfig.avFileType": types }, { name: JSON.stringify(types) }),
  ),
  "start.snapshots": member({ snapshotConfig: { fileType: ["jpg"] } }),
  "start.web_services": member({ extensionServiceConfig: {} }),
} satisfies Record<string, Probe | Probe[]>;

const storage = "storageConfig";

export const storageProbes = {
  "storage.missing": member({ storageConfig: undefined }, { otherwise: "storage.vendor" }),
  "storage.vendor": member({ [`${storage}.vendor`]: 17 }),
  "storage.region": [
    member({ [`${storage}.region`]: 1 }, { name: "vendor 11 has 0 only" }),
    member({ [`${storage}.vendor`]: 1, [`${storage}.region`]: 26 }, { name: "vendor 1 skips 26" }),
  ],
  "storage.bucket": member({ [`${storage}.bucket`]: undefined }),
  "storage.access_key": member({ [`${storage}.accessKey`]: undefined }),
  "storage.secret_key": member({ [`${storage}.secretKey`]: undefined }),
  "storage.prefix": member(
    { [`${storage}.fileNamePrefix`]: ["a/b"] },
    { settings: { unconfirmed: { hyphenInPrefix: "left out" } } },
  ),
  "storage.prefix_hyphen": ["a-b", "a_b"].map((folder) =>
    member({ [`${storage}.fileNamePrefix`]: [folder] }, { name: folder }),
  ),
  "storage.prefix_length": member({ [`${storage}.fileNamePrefix`]: ["a".repeat(64), "b".repeat(63)] }),
  "storage.endpoint": member({ [`${storage}.extensionParams`]: undefined }),
  "update.lists": {
    ask: async (stage) => {
      const task = await begin(stage);
      const path = `/resourceid/${task.resourceId}/sid/${task.sid}/mode/mix/update`;
      const clientRequest = { streamSubscribe: { audioUidList: { subscribeAudioUids: "1" } } };
      return stage.client.send("POST", path, { cname, uid: task.uid, clientRequest });
    },
  },
} satisfies Record<string, Probe | Probe[]>;
