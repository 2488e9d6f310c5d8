import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type Log, reasonOf } from "../stack/part.ts";
import { type Answer, answers } from "./answers.ts";
import { errorModule, events, leaveCodes } from "./events.ts";
import type { Faults } from "./faults.ts";
import { fileItems, fileListing, playlistName } from "./file-listing.ts";
import { tokenExpired, verifyRtcToken } from "./rtc-token.ts";
import type { AgoraSettings } from "./settings.ts";
import { Storage, UploadRefused, uploadFailed } from "./storage.ts";
import type { StorageConfig } from "./storage-rules.ts";
import type { TaskRecord, TaskStore } from "./task-store.ts";
import { tracksOf } from "./tracks.ts";
import { UploadQueue } from "./upload-queue.ts";
import type { EngineEvent, Notifier } from "./webhooks.ts";
import { Worker } from "./worker.ts";

export interface TaskDeps {
  settings: AgoraSettings;
  store: TaskStore;
  notifier: Notifier;
  faults: Faults;
  log: Log;
  /** Whether somebody publishes media in a channel now. */
  isPublishing(cname: string): boolean;
  onGone(task: Task): void;
}

type LeaveReason = "stop" | "idle" | "token" | "storage" | "crash" | "failover";

/** More than this many moves to another server are not made for one recording. */
const mostFailovers = 3;
/** Status numbers of query. */
const ready = 4;
const inProgress = 5;
const stopAsked = 6;
const stopped = 7;
const exited = 8;
const abnormal = 20;

interface Settlement {
  hasMedia: boolean;
  isUploaded: boolean;
}

/** One engine task: one resourceId and sid, from start until nothing of it answers any more. */
export class Task {
  readonly record: TaskRecord;
  readonly #deps: TaskDeps;
  readonly #uploads: UploadQueue;
  readonly #settled = Promise.withResolvers<Settlement>();
  readonly #ended = new AbortController();
  #leave = Promise.withResolvers<LeaveReason>();
  #reason: LeaveReason | null = null;
  #status = 1;
  #isHidden = false;
  #failoverMs = 0;
  #crash: unknown;
  #worker: Worker | null = null;
  #timers: NodeJS.Timeout[] = [];
  #idleTimer: NodeJS.Timeout | undefined;
  #life: Promise<void> = Promise.resolve();

  constructor(record: TaskRecord, deps: TaskDeps) {
    this.record = record;
    this.#deps = deps;
    const { settings, faults } = deps;
    this.#uploads = new UploadQueue(
      () =>
        new Storage(this.record.request.storageConfig, {
          region: settings.storageRegion,
          retryMs: settings.uploadRetryMs,
          slowBy: () => faults.take("slow_upload", () => true)?.ms ?? 0,
        }),
      (error) => this.#storageRefused(error),
    );
  }

  get status(): number {
    return this.#status;
  }

  /** False while it answers 404: moving to another server, or past its resourceExpiredHour. */
  get isVisible(): boolean {
    return !this.#isHidden && Date.now() < this.record.controlUntil;
  }

  /** Begins a new task. */
  start(): void {
    this.#run(() => this.#live());
  }

  /** Goes on with a task whose process died: as another server, or by uploading the rest if it was leaving. */
  resume(): void {
    this.#isHidden = true;
    const { store } = this.#deps;
    if (this.record.isLeaving) store.completePlaylist(this.record);
    for (const { name, path } of store.leftovers(this.record.sid)) {
      this.#uploads.add(name, { path }, () => {
        if (!name.endsWith(".ts")) this.#fileUploaded(name, this.record.startedAt);
      });
    }
    this.#run(async () => {
      if (this.record.isLeaving) return this.#finishUploads(this.record.hasMedia);
      await this.#moveToAnotherServer(this.#deps.settings.failoverMs);
      await this.#live();
    });
  }

  /** Answers a stop call: at once when `isAsync`, otherwise when everything is uploaded. */
  async stop(isAsync: boolean): Promise<Answer> {
    if (this.#reason) return answers.exiting;
    const hasMedia = this.#hasMedia();
    this.#leaveFor("stop");
    if (!hasMedia) return answers.nothingRecorded;
    // What an asynchronous stop puts into serverResponse is not documented; clients must live with nothing.
    if (isAsync) return this.#answer({ serverResponse: {} });
    const slow = pause(this.#deps.settings.slowStopMs, null, { ref: false });
    const settlement = await Promise.race([this.#settled.promise, slow]);
    if (settlement === null) return answers.slowStop;
    const uploadingStatus = settlement.isUploaded ? "uploaded" : "unknown";
    return this.#answer({
      serverResponse: { ...fileListing(this.record, this.#deps.settings), uploadingStatus },
    });
  }

  query(): Answer {
    const sliceStartTime = this.#worker?.startedAt ?? 0;
    return this.#answer({
      serverResponse: {
        status: this.#status,
        ...fileListing(this.record, this.#deps.settings),
        sliceStartTime,
      },
    });
  }

  /** Answers update and updateLayout; new bucket keys are used from the next upload on. */
  update(storage: StorageConfig | undefined): Answer {
    if (storage) {
      this.record.request.storageConfig = storage;
      this.#uploads.reopen();
      this.#deps.store.save(this.record);
    }
    return this.#answer({});
  }

  /** Event 3: a call did not fit the state. */
  tellStatus(): void {
    this.#emit(events.statusUpdate(this.#status, playlistName(this.record, this.#deps.settings)));
  }

  /** Somebody begins or ceases to publish in the channel. */
  setPublishing(isPublishing: boolean): void {
    if (!this.#worker || this.#reason) return;
    const at = Date.now();
    if (isPublishing) this.#worker.resume();
    else this.#worker.pause();
    this.#tellStreams(isPublishing, at);
    this.#watchIdle(isPublishing);
  }

  /** Dies on its server and goes on at another after `ms` of 404. False when it cannot. */
  failover(ms: number): boolean {
    if (!this.#worker || this.#reason) return false;
    this.#isHidden = true;
    this.#failoverMs = ms;
    this.#leaveFor("failover");
    return true;
  }

  /** Ends without a trace, as if the process had been killed; the record stays in the store. */
  async abandon(): Promise<void> {
    this.#ended.abort();
    this.#clearTimers();
    this.#leave.resolve("crash");
    await this.#worker?.abandon();
    await this.#uploads.abandon();
    await this.#life;
  }

  #run(life: () => Promise<void>): void {
    this.#life = life().catch((error: unknown) => {
      if (this.#ended.signal.aborted) return;
      this.#deps.log("recorder crashed", { sid: this.record.sid, why: reasonOf(error) });
      this.#status = abnormal;
      this.#emit(events.error(errorModule.recorder, 3, reasonOf(error)));
      return this.#vanish(1);
    });
  }

  /** Serves the task on one server after the other until it leaves for good. */
  async #live(): Promise<void> {
    for (;;) {
      const reason = await this.#serve();
      if (this.#ended.signal.aborted) return;
      if (reason !== "failover") return;
      await this.#worker?.abandon();
      await this.#moveToAnotherServer(this.#failoverMs);
    }
  }

  async #moveToAnotherServer(ms: number): Promise<void> {
    this.#isHidden = true;
    this.#worker = null;
    this.#status = 1;
    await this.#uploads.drained();
    await this.#wait(ms);
    if (this.record.failovers >= mostFailovers) throw new Error("no further failover");
    const newUid = randomInt(1, 4_294_967_295);
    this.#emit(events.sessionFailover(newUid));
    this.record.recorderUid = String(newUid);
    this.record.failovers += 1;
    this.record.files = [];
    this.#leave = Promise.withResolvers<LeaveReason>();
    this.#reason = null;
    this.#deps.store.save(this.record);
    this.#isHidden = false;
  }

  async #serve(): Promise<LeaveReason | "gone"> {
    const { settings } = this.#deps;
    for (const status of [1, 2, 3]) {
      this.#status = status;
      await Promise.race([this.#wait(settings.joinMs / 3), this.#leave.promise]);
      if (this.#reason) return this.#depart(this.#reason);
    }
    const { cname, uid, request } = this.record;
    const verdict = verifyRtcToken(request.token, {
      appId: settings.appId,
      appCertificate: settings.appCertificate,
      channel: cname,
      uid,
      nowMs: Date.now(),
    });
    if (!verdict.ok) {
      this.#deps.log("recorder could not join", { sid: this.record.sid, token: verdict.why });
      this.#emit(events.error(errorModule.recorder, verdict.code));
      await this.#vanish(1);
      return "gone";
    }
    const worker = await Worker.open(this.record, {
      settings,
      uploads: this.#uploads,
      folder: this.#deps.store.folderOf(this.record.sid),
      onFile: (name, startedAt) => this.#fileUploaded(name, startedAt),
      onSlice: () => this.#sliceRecorded(),
      onFailed: (error) => this.#leaveFor("crash", error),
    });
    if (this.#ended.signal.aborted) {
      await worker.abandon();
      return "gone";
    }
    this.#worker = worker;
    const isPublishing = this.#deps.isPublishing(cname);
    const startedAt = worker.begin(!isPublishing);
    this.#status = ready;
    this.#emit(events.recorderStarted(), startedAt);
    if (isPublishing) this.#tellStreams(true, startedAt);
    this.#emit(events.uploaderStarted());
    this.#watchIdle(isPublishing);
    this.#timers.push(
      setTimeout(() => this.#leaveFor("token"), verdict.expiresAtMs - Date.now()),
      setInterval(() => this.#emit(events.uploadingProgress(worker.progress)), settings.progressMs),
    );
    const reason = await this.#leave.promise;
    this.#clearTimers();
    return reason === "failover" ? reason : this.#depart(reason);
  }

  /** The recorder leaves the channel; what it has is completed and uploaded. */
  async #depart(reason: LeaveReason): Promise<"gone"> {
    if (this.#ended.signal.aborted) return "gone";
    if (reason === "crash") throw this.#crash ?? new Error("the recorder failed");
    this.#status = stopAsked;
    if (this.#worker) {
      if (reason === "token") this.#emit(events.error(errorModule.recorder, tokenExpired));
      const { endedAt } = await this.#worker.finish();
      const code = { stop: leaveCodes.asked, idle: leaveCodes.idle, storage: leaveCodes.killed };
      this.#emit(
        events.recorderLeave(reason in code ? code[reason as keyof typeof code] : leaveCodes.clientLeft),
        endedAt,
      );
      if (this.#deps.isPublishing(this.record.cname)) this.#tellStreams(false, endedAt);
    }
    this.#status = stopped;
    await this.#finishUploads(this.#hasMedia());
    return "gone";
  }

  async #finishUploads(hasMedia: boolean): Promise<void> {
    const isUploaded = await this.#uploads.drained();
    if (this.#ended.signal.aborted) return;
    this.#settled.resolve({ hasMedia, isUploaded });
    if (!isUploaded) return this.#vanish(1);
    if (hasMedia) this.#emit(events.uploadingProgress(10_000));
    this.#emit(events.sessionExit(0));
    if (hasMedia) this.#emit(events.uploaded(fileItems(this.record, this.#deps.settings)));
    this.#status = exited;
    await this.#wait(this.#deps.settings.exitMs);
    this.#goneForGood();
  }

  /** Death without a regular end. */
  async #vanish(exitStatus: 0 | 1): Promise<void> {
    this.#clearTimers();
    await this.#worker?.abandon();
    this.#emit(events.sessionExit(exitStatus));
    this.#settled.resolve({ hasMedia: false, isUploaded: false });
    this.#goneForGood();
  }

  #goneForGood(): void {
    if (this.#ended.signal.aborted) return;
    this.#deps.store.remove(this.record.sid);
    this.#deps.onGone(this);
  }

  #leaveFor(reason: LeaveReason, crash?: unknown): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#crash = crash;
    if (reason !== "failover") {
      this.record.isLeaving = true;
      this.#deps.store.save(this.record);
    }
    this.#leave.resolve(reason);
  }

  #storageRefused(error: unknown): void {
    const code = error instanceof UploadRefused ? error.code : uploadFailed;
    this.#deps.log("upload refused", { sid: this.record.sid, code, why: reasonOf(error) });
    this.#emit(events.error(errorModule.uploader, code, reasonOf(error)));
    this.#leaveFor("storage");
  }

  #fileUploaded(name: string, startedAt: number): void {
    if (this.record.files.some((file) => file.name === name)) return;
    this.record.files.push({ name, startedAt });
    if (name.endsWith(".m3u8")) {
      if (this.#status === ready) this.#status = inProgress;
      this.#emit(events.fileInfos(playlistName(this.record, this.#deps.settings)));
    }
    this.#deps.store.save(this.record);
  }

  #hasMedia(): boolean {
    return this.record.hasMedia || (this.#worker?.hasMedia ?? false);
  }

  #sliceRecorded(): void {
    if (this.record.hasMedia) return;
    this.record.hasMedia = true;
    this.#deps.store.save(this.record);
  }

  #tellStreams(isReceiving: boolean, at: number): void {
    const { video, audio, trackType } = tracksOf(this.record.request);
    if (isReceiving) this.#emit(events.sliceStart(at, trackType), at);
    if (video) this.#emit(events.streamState("video", isReceiving, at), at);
    if (audio) this.#emit(events.streamState("audio", isReceiving, at), at);
  }

  #watchIdle(isPublishing: boolean): void {
    clearTimeout(this.#idleTimer);
    if (isPublishing) return;
    const { maxIdleTime } = this.record.request.recordingConfig;
    this.#idleTimer = setTimeout(() => this.#leaveFor("idle"), Math.min(maxIdleTime * 1000, 2 ** 31 - 1));
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    clearTimeout(this.#idleTimer);
  }

  async #wait(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#ended.signal });
  }

  #emit(event: Pick<EngineEvent, "eventType" | "serviceType" | "details">, sentAt = Date.now()): void {
    if (this.#ended.signal.aborted) return;
    const { cname, recorderUid, sid } = this.record;
    const sequence = this.record.nextSequence++;
    this.#deps.store.save(this.record);
    this.#deps.notifier.send({ ...event, cname, uid: recorderUid, sid, sequence, sentAt });
  }

  #answer(more: Record<string, unknown>): Answer {
    const { cname, uid, resourceId, sid } = this.record;
    return { status: 200, body: { cname, uid, resourceId, sid, ...more } };
  }
}
