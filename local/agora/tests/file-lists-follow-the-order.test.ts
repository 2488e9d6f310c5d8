import { expect, test } from "vitest";
import { layoutOf, startRequestOf } from "../request-rules.ts";
import { fileItems, fileListing, playlistName } from "../tasks/file-listing.ts";
import type { TaskRecord } from "../tasks/task-store.ts";
import { startRequestFor } from "./stage.ts";

function recordWith(avFileType: string[], files: TaskRecord["files"]): TaskRecord {
  const more = { recordingFileConfig: { avFileType } };
  return {
    resourceId: "r",
    sid: "s",
    cname: "room",
    uid: "1",
    recorderUid: "1",
    startedAt: 0,
    controlUntil: 0,
    failovers: 0,
    nextSequence: 0,
    moduleSequences: {},
    layout: layoutOf.parse({}),
    backup: null,
    isLeaving: false,
    hasMedia: true,
    files,
    request: startRequestOf.parse(startRequestFor("room", "1", "127.0.0.1:9", more)),
  };
}
const files = [
  { name: "a.m3u8", startedAt: 5 },
  { name: "a_0.mp4", startedAt: 5 },
];

test("MP4 files stand before the playlist", () => {
  const record = recordWith(["hls", "mp4"], files);
  const names = fileItems(record, { prefixInFileNames: false, sliceStartTimeIn: "ms" }).map(
    ({ fileName }) => fileName,
  );
  expect(names).toEqual(["a_0.mp4", "a.m3u8"]);
  expect(fileListing(record, { prefixInFileNames: false, sliceStartTimeIn: "ms" })).toMatchObject({
    fileListMode: "json",
  });
});

test("HLS alone is told as a text, empty before the first upload", () => {
  const listing = (of: TaskRecord["files"]) =>
    fileListing(recordWith(["hls"], of), { prefixInFileNames: false, sliceStartTimeIn: "ms" });
  expect(listing([])).toEqual({ fileListMode: "string", fileList: "" });
  expect(listing(files)).toEqual({ fileListMode: "string", fileList: "a.m3u8" });
});

test("names carry the folders only where the setting says so", () => {
  const record = recordWith(["hls"], files);
  expect(playlistName(record, { prefixInFileNames: true, sliceStartTimeIn: "ms" })).toBe(
    "recordings/abc123/a.m3u8",
  );
  expect(playlistName(record, { prefixInFileNames: false, sliceStartTimeIn: "ms" })).toBe("a.m3u8");
});
