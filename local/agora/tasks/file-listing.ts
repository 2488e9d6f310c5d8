import type { FileItem } from "../events.ts";
import { isPlaylist } from "../file-names.ts";
import { prefixOf } from "../request-rules.ts";
import { tracksOf } from "../tracks.ts";
import type { Unconfirmed } from "../unconfirmed.ts";
import type { TaskRecord } from "./task-store.ts";

/** What Agora does not say about file lists. */
type Naming = Pick<Unconfirmed, "prefixInFileNames" | "sliceStartTimeIn">;

/** Files of a task that are in the bucket: MP4 before the playlist, as in the documented samples; slices are not listed. */
export function fileItems(record: TaskRecord, naming: Naming): FileItem[] {
  const { trackType } = tracksOf(record.request);
  return record.files
    .toSorted((a, b) => Number(isPlaylist(a.name)) - Number(isPlaylist(b.name)))
    .map(({ name, startedAt }) => ({
      fileName: named(name, record, naming),
      trackType,
      uid: "0",
      mixedAllUser: true,
      isPlayable: true,
      sliceStartTime: timeOf(startedAt, naming),
    }));
}

/** Name of the playlist once it is in the bucket, else an empty text. */
export function playlistName(record: TaskRecord, naming: Naming): string {
  const playlist = record.files.find(({ name }) => isPlaylist(name));
  return playlist ? named(playlist.name, record, naming) : "";
}

/** fileListMode and fileList of query and stop: a text for HLS alone, a list where there is an MP4 too. */
export function fileListing(record: TaskRecord, naming: Naming) {
  return record.request.recordingFileConfig.avFileType.includes("mp4")
    ? { fileListMode: "json", fileList: fileItems(record, naming) }
    : { fileListMode: "string", fileList: playlistName(record, naming) };
}

/** A time in the unit that sliceStartTime has. */
export function timeOf(ms: number, { sliceStartTimeIn }: Naming): number {
  return sliceStartTimeIn === "ms" ? ms : Math.floor(ms / 1000);
}

function named(
  name: string,
  record: TaskRecord,
  { prefixInFileNames }: Pick<Naming, "prefixInFileNames">,
): string {
  return prefixInFileNames ? `${prefixOf(record.request.storageConfig.fileNamePrefix)}${name}` : name;
}
