import type * as requests from "../../_shared/agora/requests.ts";
import replies from "../fixtures/agora/replies.json" with { type: "json" };

const { resourceId, sid } = replies;

export const ACQUIRE: requests.AcquireRequest = {
  cname: "room1",
  uid: "4000000001",
  resourceExpiredHour: 24,
};

export const START: requests.StartRequest = {
  cname: "room1",
  uid: "4000000001",
  resourceId,
  token: "007token-of-the-recorder",
  recordingConfig: {
    channelType: 1,
    streamTypes: 2,
    videoStreamType: 0,
    maxIdleTime: 300,
    transcodingConfig: {
      width: 1280,
      height: 720,
      fps: 15,
      bitrate: 2260,
      mixedVideoLayout: 1,
      backgroundColor: "#000000",
    },
  },
  recordingFileConfig: { avFileType: ["hls", "mp4"] },
  storageConfig: {
    vendor: 11,
    region: 0,
    bucket: "recordings-bucket",
    accessKey: "access-key-id",
    secretKey: "secret-access-key",
    fileNamePrefix: ["recordings", "0123456789abcdef0123456789abcdef", "a1"],
    extensionParams: { endpoint: "s3.us-west-004.backblazeb2.com" },
  },
};

export const QUERY: requests.QueryRequest = { resourceId, sid };

export const UPDATE_LAYOUT: requests.UpdateLayoutRequest = {
  cname: "room1",
  uid: "4000000001",
  resourceId,
  sid,
  layout: { mixedVideoLayout: 2, maxResolutionUid: "7", backgroundColor: "#000000" },
};

export const STOP: requests.StopRequest = {
  cname: "room1",
  uid: "4000000001",
  resourceId,
  sid,
  asyncStop: false,
};
