import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { reasonOf } from "../../stack/part.ts";
import { errorModule, events } from "../events.ts";
import { type LeaveReason, ServerStay } from "./server-stay.ts";
import type { TaskDeps } from "./task-deps.ts";
import { TaskEvents } from "./task-events.ts";
import type { TaskRecord } from "./task-store.ts";
import { TaskUploads } from "./task-uploads.ts";
import type { Worker } from "./worker.ts";

/** More than this many moves to another server are not made for one recording. */
const mostFailovers = 3;
/** Status number of query of a recorder that has not joined. */
const joining = 1;
/** Status numbers of query once the recorder has left its channel; those before are of its stay there. */
const stopped = 7;
const exited = 8;
const abnormal = 20;

/** What a task goes through from its start until nothing of it answers any more: one stay after the other, then the last uploads. */
export class TaskLife {
  readonly events: TaskEvents;
  readonly uploads: TaskUploads;
  readonly #record: TaskRecord;
  readonly #deps: TaskDeps;
  readonly #ended = new AbortController();
  readonly #settled = Promise.withResolvers<{ isUploaded: boolean }>();
  #stay: ServerStay;
  #statusAfterwards: number | null = null;
  #isMoving = false;
  #failoverMs = 0;
  #work: Promise<void> = Promise.resolve();

  constructor(record: TaskRecord, deps: TaskDeps) {
    this.#record = record;
    this.#deps = deps;
    this.events = new TaskEvents(record, deps, this.#ended.signal);
    this.uploads = new TaskUploads(record, deps, this.events, {
      onRefused: () => this.leaveFor("storage"),
      onPlaylist: () => this.#stay.playlistListed(),
    });
    this.#stay = this.#nextStay();
  }

  /** The status number of query. */
  get status(): number {
    return this.#statusAfterwards ?? (this.#isMoving ? joining : this.#stay.status);
  }

  /** True while it is being moved to another server. */
  get isMoving(): boolean {
    return this.#isMoving;
  }

  /** True once it was told to leave, or leaves by itself. */
  get isLeaving(): boolean {
    return this.#stay.isLeaving;
  }

  get hasMedia(): boolean {
    return this.#record.hasMedia || (this.worker?.hasMedia ?? false);
  }

  /** The recorder that is in the channel now. */
  get worker(): Worker | null {
    return this.#stay.worker;
  }

  /** Resolves when nothing more will be uploaded; `isUploaded` when nothing was left out. */
  get settled(): Promise<{ isUploaded: boolean }> {
    return this.#settled.promise;
  }

  /** Begins a new task. */
  start(): void {
    this.#run(() => this.#live());
  }

  /** Goes on with a task whose process died: as another server, or by uploading the rest if it was leaving. */
  resume(): void {
    this.#isMoving = true;
    if (this.#record.isLeaving) this.#deps.store.completePlaylist(this.#record);
    this.uploads.takeLeftovers();
    this.#run(async () => {
      if (this.#record.isLeaving) return this.#finishUploads(this.#record.hasMedia);
      await this.#moveToAnotherServer(this.#deps.settings.failoverMs);
      await this.#live();
    });
  }

  /** Somebody may have begun or ceased to publish in the channel. */
  publishingChanged(): void {
    this.#stay.publishingChanged();
  }

  /** Dies on its server and goes on at another after `ms` of 404. False when it cannot. */
  failover(ms: number): boolean {
    if (!this.worker || this.isLeaving) return false;
    this.#isMoving = true;
    this.#failoverMs = ms;
    this.leaveFor("failover");
    return true;
  }

  /** Leaves for this reason, as soon as it can; the first reason counts. */
  leaveFor(reason: LeaveReason, crash?: unknown): void {
    this.#stay.leaveFor(reason, crash);
  }

  /** Ends without a trace, as if the process had been killed; the record stays in the store. */
  async abandon(): Promise<void> {
    this.#ended.abort();
    await this.#stay.abandon();
    await this.uploads.queue.abandon();
    await this.#work;
  }

  #nextStay(): ServerStay {
    return new ServerStay(this.#record, {
      ...this.#deps,
      events: this.events,
      uploads: this.uploads,
      ended: this.#ended.signal,
      onDied: (why) => this.#recorderDied(why),
    });
  }

  #run(life: () => Promise<void>): void {
    this.#work = life().catch((error: unknown) => {
      if (this.#ended.signal.aborted) return;
      this.#deps.log("recorder crashed", { sid: this.#record.sid, why: reasonOf(error) });
      this.#statusAfterwards = abnormal;
      this.events.tell(events.error(errorModule.recorder, 3, reasonOf(error)));
      return this.#vanish();
    });
  }

  /** Serves the task on one server after the other until it leaves for good. */
  async #live(): Promise<void> {
    for (;;) {
      const end = await this.#stay.serve();
      if (this.#ended.signal.aborted) return;
      if (end === "refused") return this.#vanish();
      if (end === "silently") return this.#goneForGood();
      if (end === "left") {
        this.#statusAfterwards = stopped;
        return this.#finishUploads(this.hasMedia);
      }
      await this.#moveToAnotherServer(this.#failoverMs);
    }
  }

  async #moveToAnotherServer(ms: number): Promise<void> {
    await this.uploads.queue.drained();
    await this.#wait(ms);
    if (this.#record.failovers >= mostFailovers) throw new Error("no further failover");
    const newUid = randomInt(1, 4_294_967_295);
    this.events.tell(events.sessionFailover(newUid));
    this.#record.recorderUid = String(newUid);
    this.#record.failovers += 1;
    this.#record.files = [];
    this.#stay = this.#nextStay();
    this.#deps.store.save(this.#record);
    this.#isMoving = false;
  }

  async #finishUploads(hasMedia: boolean): Promise<void> {
    const isUploaded = await this.uploads.queue.drained();
    if (this.#ended.signal.aborted) return;
    this.#settled.resolve({ isUploaded });
    if (!isUploaded) return this.#vanish();
    if (hasMedia) this.events.tell(events.uploadingProgress(10_000));
    this.events.tell(events.sessionExit(0));
    if (hasMedia) this.uploads.tellUploaded();
    this.#statusAfterwards = exited;
    const { backup } = this.#record;
    if (backup) {
      backup.forwardsAt = Date.now() + backup.afterMs;
      this.#deps.store.save(this.#record);
    }
    await this.#wait(this.#deps.settings.exitMs);
    this.#goneForGood();
  }

  /** Death without a regular end. */
  async #vanish(): Promise<void> {
    await this.#stay.abandon();
    this.events.tell(events.sessionExit(1));
    this.#settled.resolve({ isUploaded: false });
    this.#goneForGood();
  }

  #goneForGood(): void {
    if (this.#ended.signal.aborted) return;
    if (this.#record.backup?.forwardsAt) this.#deps.backupCloud.forward(this.#record);
    else this.#deps.store.remove(this.#record.sid);
    this.#deps.onGone(this.#record.sid);
  }

  /** A recorder process that died is what the real service calls a server that died. */
  #recorderDied(why: string): void {
    this.#deps.log("recorder process died", { sid: this.#record.sid, why });
    this.failover(this.#deps.settings.failoverMs);
  }

  async #wait(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#ended.signal });
  }
}
