import { reasonOf } from "../../stack/part.ts";
import { errorModule, events, warnBackup } from "../events.ts";
import { isPlaylist } from "../file-names.ts";
import type { StorageConfig } from "../request-rules.ts";
import { codeOf, Storage } from "../storage.ts";
import { fileItems, fileListing } from "./file-listing.ts";
import type { TaskDeps } from "./task-deps.ts";
import type { TaskEvents } from "./task-events.ts";
import type { TaskRecord } from "./task-store.ts";
import { UploadQueue } from "./upload-queue.ts";

/** What of a task's files its life must know. */
export interface UploadOutcomes {
  /** The store refused a file: nothing more will be uploaded. */
  onRefused(): void;
  /** A playlist is in the bucket. */
  onPlaylist(): void;
}

/** The files of one task: their way into the bucket or the backup cloud, and how they are listed in answers and events. */
export class TaskUploads {
  readonly queue: UploadQueue;
  readonly #record: TaskRecord;
  readonly #deps: TaskDeps;
  readonly #events: TaskEvents;
  readonly #outcomes: UploadOutcomes;
  /** Pieces made so far: every second one takes the detour by the backup cloud. */
  #pieces = 0;

  constructor(record: TaskRecord, deps: TaskDeps, taskEvents: TaskEvents, outcomes: UploadOutcomes) {
    this.#record = record;
    this.#deps = deps;
    this.#events = taskEvents;
    this.#outcomes = outcomes;
    const { settings, faults, refusals } = deps;
    this.queue = new UploadQueue(
      () =>
        new Storage(record.request.storageConfig, settings, refusals, {
          slowBy: () => faults.take("slow_upload", record)?.ms ?? 0,
          refuses: () => faults.take("refuse_storage", record)?.code,
        }),
      (error) => this.#refused(error),
    );
  }

  /** Queues what the process that died had completed and not uploaded. */
  takeLeftovers(): void {
    const { sid, startedAt } = this.#record;
    for (const { name, path } of this.#deps.store.leftovers(sid)) {
      this.queue.add(name, { path }, () => {
        if (!name.endsWith(".ts")) this.listed(name, startedAt);
      });
    }
  }

  /** New bucket keys: used from the next upload on. */
  changeStorage(storage: StorageConfig): void {
    this.#record.request.storageConfig = storage;
    this.queue.reopen();
    this.#deps.store.save(this.#record);
  }

  /** A playlist or an MP4 is in the bucket; `startedAt` in UTC ms. */
  listed(name: string, startedAt: number): void {
    const { files } = this.#record;
    if (files.some((file) => file.name === name)) return;
    files.push({ name, startedAt });
    if (isPlaylist(name)) {
      this.#outcomes.onPlaylist();
      this.#events.tellPlaylist();
    }
    this.#deps.store.save(this.#record);
  }

  /** Whether a file goes to the backup cloud: of a struck task every second slice, and the complete files. */
  detours(name: string): boolean {
    const record = this.#record;
    const fault = record.backup ? undefined : this.#deps.faults.take("backup_cloud", record);
    if (fault) record.backup = { afterMs: fault.ms, forwardsAt: null, names: [] };
    if (!record.backup) return false;
    this.#pieces += 1;
    if (name.endsWith(".ts") && this.#pieces % 2 === 1) return false;
    record.backup.names.push(name);
    this.#deps.store.save(record);
    this.#events.tell(events.warning(1, warnBackup));
    return true;
  }

  /** A slice was recorded, on this server or an earlier one. */
  sliceRecorded(): void {
    if (this.#record.hasMedia) return;
    this.#record.hasMedia = true;
    this.#deps.store.save(this.#record);
  }

  /** Event 31, or 32 where files went to the backup cloud. */
  tellUploaded(): void {
    const files = fileItems(this.#record, this.#deps.settings.unconfirmed);
    this.#events.tell(this.#record.backup ? events.backuped(files) : events.uploaded(files));
  }

  /** fileListMode and fileList, as query and stop tell them. */
  listing(): ReturnType<typeof fileListing> {
    return fileListing(this.#record, this.#deps.settings.unconfirmed);
  }

  /** serverResponse of an asynchronous stop: not documented. */
  toldAtOnce(): Record<string, unknown> {
    const { asyncStopTells, unknownStatus } = this.#deps.settings.unconfirmed;
    if (asyncStopTells === "nothing") return {};
    return { ...(asyncStopTells === "files" ? this.listing() : {}), uploadingStatus: unknownStatus };
  }

  /** serverResponse of a stop that waited for the uploads. */
  toldInTheEnd(isUploaded: boolean): Record<string, unknown> {
    const { unknownStatus } = this.#deps.settings.unconfirmed;
    const whereto = this.#record.backup ? "backuped" : "uploaded";
    return { ...this.listing(), uploadingStatus: isUploaded ? whereto : unknownStatus };
  }

  #refused(error: unknown): void {
    const code = codeOf(error);
    this.#deps.log("upload refused", { sid: this.#record.sid, code, why: reasonOf(error) });
    this.#events.tell(events.error(errorModule.uploader, code, reasonOf(error)));
    this.#outcomes.onRefused();
  }
}
