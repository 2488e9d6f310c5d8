import { channelInFileNames } from "../../_shared/agora/files.ts";
import type { PublishedFile, Totals } from "../../_shared/jobs/database.ts";
import type { LogFields } from "../../_shared/log.ts";
import type { CollectDeps } from "../../_shared/storage/collect.ts";
import { CHANNEL, RECORDING_ID, SID } from "../jobs/jobs-for-tests.ts";
import { BEGIN_MS } from "../jobs/virtual-clock.ts";

export const PREFIX = `recordings/${RECORDING_ID.replaceAll("-", "")}/`;
const STEM = `${SID}_${channelInFileNames(CHANNEL)}`;

export const playlistFile = `${STEM}.m3u8`;
export const mp4File = (index = 0) => `${STEM}_${index}.mp4`;
/** Slices begin every 15 s. */
export const sliceFile = (index: number) => {
  const time = new Date(BEGIN_MS + index * 15_000).toISOString().replace(/[-:TZ.]/g, "");
  return `${STEM}_${time}.ts`;
};

/** A playlist in the engine's own dialect (reference: "Manage recorded files"). */
export function playlistText(
  slices: readonly string[],
  options: { isEnded?: boolean; seconds?: number } = {},
): string {
  const lines = [
    "#EXTM3U",
    "#EXT-X-VERSION:3",
    "#EXT-X-MEDIA-SEQUENCE:0",
    "#EXT-X-ALLOW-CACHE:YES",
    "#EXT-X-TARGETDURATION:15",
    "#EXT-X-DISCONTINUITY",
    "#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=VIDEO,TIME=20261122180000000",
    "#EXT-X-AGORA-ROTATE:WIDTH=1280,HEIGHT=720,ROTATE=0,TIME=20261122180000000",
  ];
  for (const slice of slices) lines.push(`#EXTINF:${(options.seconds ?? 15).toFixed(6)}`, slice);
  if (options.isEnded ?? true) lines.push("#EXT-X-ENDLIST");
  return `${lines.join("\n")}\n`;
}

/** Objects of a whole recording of `count` slices by one server: slices of 1000 bytes, an MP4 of 5000. */
export function wholeAttempt(count = 3, folder = "a1/", serverPrefix = ""): Record<string, string | number> {
  const slices = Array.from({ length: count }, (_, index) => serverPrefix + sliceFile(index));
  return {
    ...Object.fromEntries(slices.map((slice) => [`${folder}${slice}`, 1_000])),
    [`${folder}${serverPrefix}${playlistFile}`]: playlistText(slices),
    [`${folder}${serverPrefix}${mp4File()}`]: 5_000,
  };
}

export function without(objects: Record<string, string | number>, ...keys: string[]) {
  return Object.fromEntries(Object.entries(objects).filter(([key]) => !keys.includes(key)));
}

/** The bucket and the database of the storage lane in memory; objects are texts, or sizes where only that matters. */
export function storageForTest(
  objects: Record<string, string | number | Uint8Array<ArrayBuffer>>,
  nowMs = BEGIN_MS,
) {
  const story: string[] = [];
  const published: { files: PublishedFile[]; totals: Totals }[] = [];
  const put: Record<string, string> = {};
  const logged: (LogFields & { step: string })[] = [];
  const listed = Object.entries(objects).map(([key, content]) => ({
    key: `${PREFIX}${key}`,
    sizeBytes: typeof content === "number" ? content : content.length,
    etag: "etag",
    lastModified: new Date(BEGIN_MS),
  }));
  const deps: CollectDeps = {
    source: undefined,
    now: () => nowMs,
    log: (step, fields = {}) => logged.push({ step, ...fields }),
    bucket: {
      async *list(prefix) {
        story.push(`list ${prefix}`);
        // Two pages, as soon as there is more than one object.
        const middle = Math.ceil(listed.length / 2);
        for (const page of [listed.slice(0, middle), listed.slice(middle)]) {
          yield { objects: page, prefixes: [] };
        }
      },
      getText(key) {
        const content = objects[key.slice(PREFIX.length)];
        if (typeof content !== "string") throw new Error(`${key} is not a text`);
        return Promise.resolve(content);
      },
      get(key, { range } = {}) {
        const content = objects[key.slice(PREFIX.length)];
        const whole = content instanceof Uint8Array ? content : new Uint8Array(Number(content));
        const bytes = range === undefined ? whole : whole.slice(range.from, (range.to ?? whole.length) + 1);
        return Promise.resolve({
          stream: new Blob([bytes]).stream(),
          sizeBytes: bytes.length,
          totalBytes: whole.length,
          etag: "etag",
          contentType: "video/mp4",
          lastModified: new Date(BEGIN_MS),
        });
      },
      abortMultipartUpload: () => Promise.resolve(),
      put(key, body) {
        story.push(`put ${key}`);
        put[key] = typeof body === "string" ? body : new TextDecoder().decode(body);
        return Promise.resolve({ etag: "etag" });
      },
    },
    database: {
      publish(_recordingId, files, totals) {
        story.push("publish");
        published.push({ files, totals });
        return Promise.resolve(true);
      },
      awaitFiles(_recordingId, files, totals) {
        if (files !== null && totals !== null) {
          story.push("await files");
          published.push({ files, totals });
        }
        return Promise.resolve(true);
      },
      planTransfers: () => Promise.resolve({ open_count: 0, given_up: [] }),
      filesFailed(_recordingId, event) {
        story.push(event);
        return Promise.resolve(true);
      },
    },
  };
  return { deps, story, published, put, logged };
}
