import { randomInt } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type Log, reasonOf } from "../stack/part.ts";
import { type Answer, success } from "./answers.ts";
import type { BackupCloud } from "./backup-cloud.ts";
import type { MediaServer } from "./calls/media-server.ts";
import { errorModule, events, leaveCodes, warnBackup } from "./events.ts";
import type { Faults } from "./faults.ts";
import { fileItems, fileListing, playlistName, timeOf } from "./file-listing.ts";
import type { Refusals } from "./refusals/list.ts";
import type { Layout, StorageConfig } from "./request-rules.ts";
import { verifyRtcToken } from "./rtc-token.ts";
import type { AgoraSettings } from "./settings.ts";
import { codeOf, Storage } from "./storage.ts";
import type { TaskRecord, TaskStore } from "./task-store.ts";
import { tracksOf } from "./tracks.ts";
import { UploadQueue } from "./upload-queue.ts";
import type { EngineEvent, Notifier } from "./webhooks.ts";
import { Worker } from "./worker.ts";

/** What is recorded: people at the media server, or a simulated picture. */
export type MediaSource = "call" | "synthetic";

export interface TaskDeps {
  settings: AgoraSettings;
  store: TaskStore;
  notifier: Notifier;
  faults: Faults;
  refusals: Refusals;
  backupCloud: BackupCloud;
  log: Log;
  mediaServer: MediaServer;
  /** What a recorder that joins a channel now is to record. */
  sourceOf(cname: string): MediaSource;
  /** Whether somebody publishes media of this source in a channel now. */
  isPublishing(cname: string, source: MediaSource): boolean;
  /** Whether somebody in the channel has this uid. */
  isMember(cname: string, uid: string): boolean;
  onGone(task: Task): void;
}

type LeaveReason = "stop" | "idle" | "token" | "storage" | "crash" | "kicked" | "silently" | "failover";

/** More than this many moves to another server are not made for one recording. */
const mostFailovers = 3;
/** The longest time that a timer of Node's can have, ms. */
const longestTimer = 2 ** 31 - 1;
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
  /** Pieces made so far: every second one takes the detour by the backup cloud. */
  #pieces = 0;
  #worker: Worker | null = null;
  #source: MediaSource = "synthetic";
  #isReceiving = false;
  #timers: NodeJS.Timeout[] = [];
  #idleTimer: NodeJS.Timeout | undefined;
  #life: Promise<void> = Promise.resolve();

  constructor(record: TaskRecord, deps: TaskDeps) {
    this.record = record;
    this.#deps = deps;
    const { settings, faults, refusals } = deps;
    this.#uploads = new UploadQueue(
      () =>
        new Storage(this.record.request.storageConfig, settings, refusals, {
          slowBy: () => faults.take("slow_upload", this.record)?.ms ?? 0,
          refuses: () => faults.take("refuse_storage", this.record)?.code,
        }),
      (error) => this.#storageRefused(error),
    );
  }

  get status(): number {
    return this.#status;
  }

  /** True while it is being moved to another server. */
  get isMoving(): boolean {
    return this.#isHidden;
  }

  /** True past its resourceExpiredHour. */
  get isBeyondControl(): boolean {
    return Date.now() >= this.record.controlUntil;
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
    const { refusals, settings } = this.#deps;
    const exiting = refusals.when("stop.exiting", () => this.#reason !== null);
    if (exiting) return exiting;
    const hasMedia = this.#hasMedia();
    this.#leaveFor("stop");
    const empty = refusals.when("stop.nothing_recorded", () => !hasMedia);
    if (empty) return empty;
    if (isAsync) return this.#answer({ serverResponse: this.#toldAtOnce() });
    const patience = new AbortController();
    const slow = pause(settings.slowStopMs, null, { ref: false, signal: patience.signal }).catch(() => null);
    const first = await Promise.race([this.#settled.promise, slow]);
    patience.abort();
    const tooSlow = refusals.when("stop.slow", () => first === null);
    if (tooSlow) return tooSlow;
    const settlement = first ?? (await this.#settled.promise);
    return this.#answer({ serverResponse: this.#toldInTheEnd(settlement) });
  }

  query(): Answer {
    const { refusals, settings } = this.#deps;
    const exiting = refusals.when(
      "query.exiting",
      () => settings.unconfirmed.queryWhileExiting === "501" && this.#status >= stopAsked,
    );
    if (exiting) return exiting;
    const startedAt = this.#worker?.startedAt ?? 0;
    return this.#answer({
      serverResponse: {
        status: this.#status,
        ...fileListing(this.record, settings.unconfirmed),
        sliceStartTime: timeOf(startedAt, settings.unconfirmed),
      },
    });
  }

  /** Answers update; new bucket keys are used from the next upload on. */
  update(storage: StorageConfig | undefined): Answer {
    if (storage) {
      this.record.request.storageConfig = storage;
      this.#uploads.reopen();
      this.#deps.store.save(this.record);
    }
    return this.#answer({});
  }

  /** Answers updateLayout; what it leaves out falls back to its default. */
  updateLayout(layout: Layout): Answer {
    this.record.layout = layout;
    this.#worker?.rearrange(layout);
    this.#deps.store.save(this.record);
    return this.#answer({});
  }

  /** Event 3: a call did not fit the state. */
  tellStatus(): void {
    this.#emit(events.statusUpdate(this.#status, playlistName(this.record, this.#deps.settings.unconfirmed)));
  }

  /** Somebody may have begun or ceased to publish in the channel. */
  publishingChanged(): void {
    if (!this.#worker || this.#reason) return;
    const isPublishing = this.#deps.isPublishing(this.record.cname, this.#source);
    if (isPublishing === this.#isReceiving) return;
    this.#isReceiving = isPublishing;
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

  /** Ends for a reason of the engine's own, as soon as it records. */
  endFor(reason: "idle" | "token" | "crash" | "kicked" | "silently"): void {
    this.#leaveFor(reason, new Error("the recorder failed on demand"));
  }

  /** Lets its resourceExpiredHour pass at once. */
  endControl(): void {
    this.record.controlUntil = Date.now();
    this.#deps.store.save(this.record);
    if (this.#deps.settings.unconfirmed.expiryEndsTask) this.#leaveFor("stop");
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
    const { settings, refusals } = this.#deps;
    for (const status of [1, 2, 3]) {
      this.#status = status;
      await Promise.race([this.#wait(settings.joinMs / 3), this.#leave.promise]);
      if (this.#reason) return this.#depart(this.#reason);
    }
    const { cname, uid, recorderUid, request } = this.record;
    const verdict = verifyRtcToken(
      request.token,
      {
        appId: settings.appId,
        appCertificate: settings.appCertificate,
        channel: cname,
        uid,
        nowMs: Date.now(),
        beyondADay: settings.unconfirmed.tokenBeyondADay,
      },
      refusals,
    );
    if (!verdict.ok) {
      this.#deps.log("recorder could not join", { sid: this.record.sid, token: verdict.why });
      this.#emit(events.error(errorModule.recorder, verdict.code));
      await this.#vanish(1);
      return "gone";
    }
    // Two of one uid throw each other out; nothing but the exit tells of it.
    if (refusals.late("recorder.uid_taken", () => this.#deps.isMember(cname, recorderUid))) {
      await this.#vanish(1);
      return "gone";
    }
    this.record.source ??= this.#deps.sourceOf(cname);
    this.#source = this.record.source;
    const worker = await Worker.open(this.record, this.#source, {
      settings,
      mediaServer: this.#deps.mediaServer,
      uploads: this.#uploads,
      folder: this.#deps.store.folderOf(this.record.sid),
      onFile: (name, startedAt) => this.#fileUploaded(name, startedAt),
      detours: (name) => this.#detours(name),
      onSlice: () => this.#sliceRecorded(),
      onFailed: (error) => this.#leaveFor("crash", error),
      onDied: (why) => this.#recorderDied(why),
    });
    if (this.#ended.signal.aborted) {
      await worker.abandon();
      return "gone";
    }
    this.#worker = worker;
    const isPublishing = this.#deps.isPublishing(cname, this.#source);
    this.#isReceiving = isPublishing;
    const startedAt = worker.begin(!isPublishing);
    this.#status = ready;
    this.#emit(events.recorderStarted(), startedAt);
    if (settings.unconfirmed.eventsWithoutSchema) {
      for (const event of [
        events.highAvailability(),
        events.infoChanged("audio"),
        events.infoChanged("video"),
      ]) {
        this.#emit(event);
      }
    }
    if (isPublishing) this.#tellStreams(true, startedAt);
    this.#emit(events.uploaderStarted());
    this.#watchIdle(isPublishing);
    this.#timers.push(
      setTimeout(
        () => {
          if (refusals.late("recorder.token_end", () => true)) this.#leaveFor("token");
        },
        // A token that had run out before it was taken has no end any more.
        verdict.expiresAtMs > Date.now() ? verdict.expiresAtMs - Date.now() : longestTimer,
      ),
      ...(settings.unconfirmed.expiryEndsTask
        ? [
            setTimeout(
              () => this.#leaveFor("stop"),
              Math.min(this.record.controlUntil - Date.now(), longestTimer),
            ),
          ]
        : []),
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
    if (reason === "silently") {
      this.#clearTimers();
      await this.#worker?.abandon();
      this.#goneForGood();
      return "gone";
    }
    this.#status = stopAsked;
    if (this.#worker) {
      const late = reason === "token" && this.#deps.refusals.late("recorder.token_end", () => true);
      if (late && late.event !== null) this.#emit(events.error(late.event.module, late.event.errorCode));
      const { endedAt } = await this.#worker.finish();
      const code = { stop: leaveCodes.asked, idle: leaveCodes.idle, storage: leaveCodes.killed };
      this.#emit(
        events.recorderLeave(reason in code ? code[reason as keyof typeof code] : leaveCodes.clientLeft),
        endedAt,
      );
      if (this.#isReceiving) this.#tellStreams(false, endedAt);
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
    const files = fileItems(this.record, this.#deps.settings.unconfirmed);
    if (hasMedia) this.#emit(this.record.backup ? events.backuped(files) : events.uploaded(files));
    this.#status = exited;
    if (this.record.backup) {
      this.record.backup.forwardsAt = Date.now() + this.record.backup.afterMs;
      this.#deps.store.save(this.record);
    }
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
    if (this.record.backup?.forwardsAt) this.#deps.backupCloud.forward(this.record);
    else this.#deps.store.remove(this.record.sid);
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

  /** A recorder process that died is what the real service calls a server that died. */
  #recorderDied(why: string): void {
    this.#deps.log("recorder process died", { sid: this.record.sid, why });
    this.failover(this.#deps.settings.failoverMs);
  }

  #storageRefused(error: unknown): void {
    const code = codeOf(error);
    this.#deps.log("upload refused", { sid: this.record.sid, code, why: reasonOf(error) });
    this.#emit(events.error(errorModule.uploader, code, reasonOf(error)));
    this.#leaveFor("storage");
  }

  #fileUploaded(name: string, startedAt: number): void {
    if (this.record.files.some((file) => file.name === name)) return;
    this.record.files.push({ name, startedAt });
    if (name.endsWith(".m3u8")) {
      if (this.#status === ready) this.#status = inProgress;
      this.#emit(events.fileInfos(playlistName(this.record, this.#deps.settings.unconfirmed)));
    }
    this.#deps.store.save(this.record);
  }

  /** Whether a file goes to the backup cloud: of a struck task every second slice, and the complete files. */
  #detours(name: string): boolean {
    const fault = this.record.backup ? undefined : this.#deps.faults.take("backup_cloud", this.record);
    if (fault) this.record.backup = { afterMs: fault.ms, forwardsAt: null, names: [] };
    if (!this.record.backup) return false;
    this.#pieces += 1;
    if (name.endsWith(".ts") && this.#pieces % 2 === 1) return false;
    this.record.backup.names.push(name);
    this.#deps.store.save(this.record);
    this.#emit(events.warning(1, warnBackup));
    return true;
  }

  /** serverResponse of an asynchronous stop: not documented. */
  #toldAtOnce(): Record<string, unknown> {
    const { asyncStopTells, unknownStatus } = this.#deps.settings.unconfirmed;
    if (asyncStopTells === "nothing") return {};
    const files = fileListing(this.record, this.#deps.settings.unconfirmed);
    return { ...(asyncStopTells === "files" ? files : {}), uploadingStatus: unknownStatus };
  }

  #toldInTheEnd({ isUploaded }: Settlement): Record<string, unknown> {
    const { unconfirmed } = this.#deps.settings;
    const uploadingStatus = !isUploaded
      ? unconfirmed.unknownStatus
      : this.record.backup
        ? "backuped"
        : "uploaded";
    return { ...fileListing(this.record, unconfirmed), uploadingStatus };
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
    this.#idleTimer = setTimeout(() => this.#leaveFor("idle"), Math.min(maxIdleTime * 1000, longestTimer));
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
    const ofTask = this.record.nextSequence++;
    const ofModule = this.record.moduleSequences[event.serviceType] ?? 0;
    this.record.moduleSequences[event.serviceType] = ofModule + 1;
    const sequence = this.#deps.settings.unconfirmed.sequencePer === "task" ? ofTask : ofModule;
    this.#deps.store.save(this.record);
    this.#deps.notifier.send({ ...event, cname, uid: recorderUid, sid, sequence, sentAt });
  }

  #answer(more: Record<string, unknown>): Answer {
    const { cname, uid, resourceId, sid } = this.record;
    return success({ cname, uid, resourceId, sid, ...more });
  }
}
