import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { playlistOrder, taskFiles } from "../file-names.ts";
import { endMark } from "../playlist.ts";
import { layoutOf, startRequestOf } from "../request-rules.ts";

/** Everything about a task that must survive the death of the process. Times are UTC ms. */
export const taskRecordRules = z.object({
  resourceId: z.string(),
  sid: z.string(),
  cname: z.string(),
  uid: z.string(),
  /** Differs from `uid` after a failover. */
  recorderUid: z.string(),
  startedAt: z.number(),
  /** Until when query, update and stop work (resourceExpiredHour). */
  controlUntil: z.number(),
  failovers: z.number(),
  nextSequence: z.number(),
  /** The same count for each module (serviceType), where each has its own. */
  moduleSequences: z.record(z.string(), z.number()),
  /** True once the recorder has been told to leave: after a crash only the rest is uploaded. */
  isLeaving: z.boolean(),
  /** True once a slice was recorded, on this server or an earlier one. */
  hasMedia: z.boolean(),
  /** What it records, settled when the first recorder joined: a failover goes on with the same. */
  source: z.enum(["call", "synthetic"]).optional(),
  files: z.array(z.object({ name: z.string(), startedAt: z.number() })),
  /** As start or the last updateLayout left it. */
  layout: layoutOf,
  /** What went to the backup cloud instead of the bucket, and when it is forwarded; null while nothing did. */
  backup: z
    .object({ afterMs: z.number(), forwardsAt: z.number().nullable(), names: z.array(z.string()) })
    .nullable(),
  request: startRequestOf,
});

export type TaskRecord = z.output<typeof taskRecordRules>;

const recordName = "task.json";

/**
 * Keeps each running task in a folder of its own: its record and the files not yet uploaded. Records hold the bucket's
 * keys, so the folders are readable by their owner only.
 */
export class TaskStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    mkdirSync(root, { recursive: true, mode: 0o700 });
  }

  folderOf(sid: string): string {
    return join(this.#root, sid);
  }

  save(record: TaskRecord): void {
    const folder = this.folderOf(record.sid);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, recordName);
    // A kill in the middle of a write must leave the old record whole.
    writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }

  remove(sid: string): void {
    rmSync(this.folderOf(sid), { recursive: true, force: true });
  }

  /** The tasks that were running when the last process ended. Throws when a record cannot be read. */
  unfinished(): TaskRecord[] {
    return readdirSync(this.#root)
      .map((sid) => join(this.#root, sid, recordName))
      .filter((path) => existsSync(path))
      .map((path) => taskRecordRules.parse(JSON.parse(readFileSync(path, "utf8"))));
  }

  /** Writes the end mark into the playlist of a task that was leaving when its process died. */
  completePlaylist(record: TaskRecord): void {
    const { playlist } = taskFiles(record.sid, record.cname, record.failovers);
    const path = join(this.folderOf(record.sid), playlist);
    if (!existsSync(path)) return;
    const text = readFileSync(path, "utf8");
    if (!text.includes(endMark)) writeFileSync(path, `${text}${endMark}\n`);
  }

  /** Completed files of a task that were not uploaded: slices and MP4 first, playlists last. */
  leftovers(sid: string): { name: string; path: string }[] {
    const folder = this.folderOf(sid);
    return readdirSync(folder)
      .filter((name) => /\.(ts|mp4|m3u8)$/.test(name))
      .sort(playlistOrder)
      .map((name) => ({ name, path: join(folder, name) }));
  }
}
