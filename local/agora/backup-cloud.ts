import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Log, reasonOf } from "../stack/part.ts";
import { playlistOrder } from "./file-names.ts";
import type { AgoraSettings } from "./settings.ts";
import { Storage } from "./storage.ts";
import type { TaskRecord, TaskStore } from "./tasks/task-store.ts";

/**
 * Where pieces of a recording wait when the bucket could not be reached: forwarded by themselves some time after the task
 * has ended, in the real service within minutes to a day. Playlists come under a name of their own.
 */
export class BackupCloud {
  readonly #settings: AgoraSettings;
  readonly #store: TaskStore;
  readonly #log: Log;
  readonly #ended = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(settings: AgoraSettings, store: TaskStore, log: Log) {
    this.#settings = settings;
    this.#store = store;
    this.#log = log;
  }

  /** Forwards the files of a task that is gone, at its time, and then forgets the task. */
  forward(record: TaskRecord): void {
    const { sid } = record;
    const work = this.#forward(record)
      .catch((error: unknown) => {
        if (!this.#ended.signal.aborted)
          this.#log("files stay in the backup cloud", { sid, why: reasonOf(error) });
      })
      .finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  /** Breaks off like a killed process; what was not forwarded is forwarded by the next one. */
  async abandon(): Promise<void> {
    this.#ended.abort();
    await Promise.all(this.#running);
  }

  async #forward(record: TaskRecord): Promise<void> {
    const { signal } = this.#ended;
    if (!record.backup) return;
    await pause(Math.max(0, (record.backup.forwardsAt ?? 0) - Date.now()), undefined, { signal });
    const storage = new Storage(record.request.storageConfig, this.#settings);
    const folder = this.#store.folderOf(record.sid);
    for (const name of record.backup.names.toSorted(playlistOrder)) {
      await storage.put(name, { path: join(folder, name) }, signal);
    }
    this.#store.remove(record.sid);
  }
}
