import { setTimeout as pause } from "node:timers/promises";
import { errorModule, events, leaveCodes } from "../events.ts";
import { admitRecorder } from "./admission.ts";
import { Deadlines } from "./deadlines.ts";
import type { MediaSource, TaskDeps } from "./task-deps.ts";
import type { TaskEvents } from "./task-events.ts";
import type { TaskRecord } from "./task-store.ts";
import type { TaskUploads } from "./task-uploads.ts";
import { Worker } from "./worker.ts";

export type LeaveReason =
  | "stop"
  | "idle"
  | "token"
  | "storage"
  | "crash"
  | "kicked"
  | "silently"
  | "failover";

/** How a stay ended: it was not let in, it goes on at another server, it left without a word, or as it should. */
export type StayEnd = "refused" | "failover" | "silently" | "left";

/** Status numbers of query; up to 3 it joins. */
const ready = 4;
const inProgress = 5;
const stopAsked = 6;

/** leaveCode of event 41; every other reason is the client's leaving. */
const leaveCodeOf: { readonly [reason in LeaveReason]?: number } = {
  stop: leaveCodes.asked,
  idle: leaveCodes.idle,
  storage: leaveCodes.killed,
};

export interface StayDeps extends TaskDeps {
  events: TaskEvents;
  uploads: TaskUploads;
  /** Aborted when the engine itself ends. */
  ended: AbortSignal;
  /** The process that recorded is gone. */
  onDied(why: string): void;
}

/** A task's stay on one server: it joins the channel, records, and leaves. */
export class ServerStay {
  readonly #record: TaskRecord;
  readonly #deps: StayDeps;
  readonly #deadlines = new Deadlines();
  readonly #leave = Promise.withResolvers<LeaveReason>();
  #reason: LeaveReason | null = null;
  #crash: unknown;
  #status = 1;
  #worker: Worker | null = null;
  #source: MediaSource = "synthetic";
  #isReceiving = false;

  constructor(record: TaskRecord, deps: StayDeps) {
    this.#record = record;
    this.#deps = deps;
  }

  /** The status number of query, 1 to 6. */
  get status(): number {
    return this.#status;
  }

  /** True once it was told to leave, or leaves by itself. */
  get isLeaving(): boolean {
    return this.#reason !== null;
  }

  /** What records, from its beginning on. */
  get worker(): Worker | null {
    return this.#worker;
  }

  /** Goes through the whole stay. Throws where the recorder fails, and when the engine ends. */
  async serve(): Promise<StayEnd> {
    const { settings, events: told, ended } = this.#deps;
    for (const status of [1, 2, 3]) {
      this.#status = status;
      await Promise.race([pause(settings.joinMs / 3, undefined, { signal: ended }), this.#leave.promise]);
      if (this.#reason) return this.#depart(this.#reason);
    }
    const admission = admitRecorder(this.#record, this.#deps);
    if (!admission.isAdmitted) {
      this.#deps.log("recorder could not join", { sid: this.#record.sid, why: admission.why });
      if (admission.tokenCode !== null) told.tell(events.error(errorModule.recorder, admission.tokenCode));
      return "refused";
    }
    const worker = await this.#openWorker();
    if (ended.aborted) {
      await worker.abandon();
      return "silently";
    }
    this.#begin(worker, admission.until);
    const reason = await this.#leave.promise;
    this.#deadlines.clear();
    return this.#depart(reason);
  }

  /** Leaves for this reason, as soon as it can; the first reason counts. */
  leaveFor(reason: LeaveReason, crash?: unknown): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#crash = crash;
    if (reason !== "failover") {
      this.#record.isLeaving = true;
      this.#deps.store.save(this.#record);
    }
    this.#leave.resolve(reason);
  }

  /** Somebody may have begun or ceased to publish in the channel. */
  publishingChanged(): void {
    if (!this.#worker || this.#reason) return;
    const isPublishing = this.#deps.people.isPublishing(this.#record.cname, this.#source);
    if (isPublishing === this.#isReceiving) return;
    this.#isReceiving = isPublishing;
    const at = Date.now();
    if (isPublishing) this.#worker.resume();
    else this.#worker.pause();
    this.#deps.events.tellStreams(isPublishing, at);
    this.#watchIdle(isPublishing);
  }

  /** A playlist is in the bucket. */
  playlistListed(): void {
    if (this.#status === ready) this.#status = inProgress;
  }

  /** Ends as a process that is killed: what is open is lost. */
  async abandon(): Promise<void> {
    this.#deadlines.clear();
    this.#leave.resolve("crash");
    await this.#worker?.abandon();
  }

  #openWorker(): Promise<Worker> {
    const { settings, mediaServer, store, uploads, onDied } = this.#deps;
    this.#record.source ??= this.#deps.people.sourceOf(this.#record.cname);
    this.#source = this.#record.source;
    return Worker.open(this.#record, this.#source, {
      settings,
      mediaServer,
      uploads: uploads.queue,
      folder: store.folderOf(this.#record.sid),
      onFile: (name, startedAt) => uploads.listed(name, startedAt),
      detours: (name) => uploads.detours(name),
      onSlice: () => uploads.sliceRecorded(),
      onFailed: (error) => this.leaveFor("crash", error),
      onDied,
    });
  }

  /** The recorder is in the channel; `until` is the end of its token, UTC ms. */
  #begin(worker: Worker, until: number): void {
    const { settings, refusals, events: told } = this.#deps;
    this.#worker = worker;
    const isPublishing = this.#deps.people.isPublishing(this.#record.cname, this.#source);
    this.#isReceiving = isPublishing;
    const startedAt = worker.begin(!isPublishing);
    this.#status = ready;
    told.tellBeginning(isPublishing, startedAt);
    this.#watchIdle(isPublishing);
    this.#deadlines.in(until - Date.now(), () => {
      if (refusals.late("recorder.token_end", () => true)) this.leaveFor("token");
    });
    if (settings.unconfirmed.expiryEndsTask) {
      this.#deadlines.in(this.#record.controlUntil - Date.now(), () => this.leaveFor("stop"));
    }
    this.#deadlines.every(settings.progressMs, () => told.tell(events.uploadingProgress(worker.progress)));
  }

  async #depart(reason: LeaveReason): Promise<StayEnd> {
    const { events: told, refusals, ended } = this.#deps;
    if (ended.aborted) return "silently";
    if (reason === "crash") throw this.#crash ?? new Error("the recorder failed");
    if (reason === "silently" || reason === "failover") {
      await this.abandon();
      return reason;
    }
    this.#status = stopAsked;
    if (!this.#worker) return "left";
    const late = reason === "token" && refusals.late("recorder.token_end", () => true);
    if (late && late.event !== null) told.tell(events.error(late.event.module, late.event.errorCode));
    const { endedAt } = await this.#worker.finish();
    told.tell(events.recorderLeave(leaveCodeOf[reason] ?? leaveCodes.clientLeft), endedAt);
    if (this.#isReceiving) told.tellStreams(false, endedAt);
    return "left";
  }

  #watchIdle(isPublishing: boolean): void {
    const { maxIdleTime } = this.#record.request.recordingConfig;
    if (isPublishing) this.#deadlines.notIdle();
    else this.#deadlines.whenIdleFor(maxIdleTime * 1000, () => this.leaveFor("idle"));
  }
}
