import { randomBytes } from "node:crypto";
import type { Log } from "../stack/part.ts";
import { type Answer, success } from "./answers.ts";
import type { BackupCloud } from "./backup-cloud.ts";
import type { MediaServer } from "./calls/media-server.ts";
import { ChannelPeople } from "./channel-people.ts";
import type { Faults } from "./faults.ts";
import { acquireRefusals } from "./refusals/acquire.ts";
import { at } from "./refusals/body-rules.ts";
import type { Refusals } from "./refusals/list.ts";
import {
  stopRefusals,
  taskBodyRefusals,
  updateLayoutRefusals,
  updateRefusals,
} from "./refusals/running-tasks.ts";
import { startBodyRefusals, startRequestRefusals } from "./refusals/start-body.ts";
import { storageConfigRefusals } from "./refusals/storage-config.ts";
import { acquireBodyOf, layoutOf, startRequestOf, storageConfigOf, taskBodyOf } from "./request-rules.ts";
import { type ResourceClaims, ResourceIds, requestHash } from "./resource-id.ts";
import type { AgoraSettings } from "./settings.ts";
import { Task } from "./tasks/task.ts";
import type { TaskStore } from "./tasks/task-store.ts";
import type { Notifier } from "./webhooks.ts";

/** Ids of a call on a running task, as they stand in its path. */
export interface TaskPath {
  resourceId: string;
  sid: string;
  mode: string;
}

interface Parts {
  faults: Faults;
  refusals: Refusals;
  store: TaskStore;
  notifier: Notifier;
  backupCloud: BackupCloud;
  mediaServer: MediaServer;
  log: Log;
}

/** scene of acquire for individual and mix recording. */
const realTimeScene = 0;
const hourMs = 3_600_000;

/** The recording service behind the gateway: its calls, and the tasks that run. */
export class RecordingService {
  readonly #settings: AgoraSettings;
  readonly #parts: Parts;
  readonly #refusals: Refusals;
  readonly #ids: ResourceIds;
  readonly #tasks = new Map<string, Task>();
  /** resourceIds that were started, with the end of their validity (UTC ms): one recording each. */
  readonly #used = new Map<string, number>();
  readonly #people: ChannelPeople;

  constructor(settings: AgoraSettings, parts: Parts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#refusals = parts.refusals;
    this.#people = new ChannelPeople(settings.publishers, parts.mediaServer);
    this.#ids = new ResourceIds(`${settings.appCertificate}:${settings.customerSecret}`);
  }

  get tasks(): Task[] {
    return [...this.#tasks.values()];
  }

  /** The channel a resourceId was acquired for; undefined when it cannot be read. */
  channelOf(resourceId: string): string | undefined {
    return this.#ids.read(resourceId)?.cname;
  }

  acquire(body: unknown): Answer {
    const refused =
      this.#refusals.ofBody(acquireRefusals, body) ??
      this.#refusals.when("acquire.ceiling", () => this.#isFull());
    if (refused) return refused;
    const { cname, uid, clientRequest } = acquireBodyOf.parse(body);
    const { scene, startParameter, resourceExpiredHour } = clientRequest;
    const resourceId = this.#ids.issue({
      appId: this.#settings.appId,
      cname,
      uid,
      scene,
      issuedAt: Date.now(),
      expiredHours: resourceExpiredHour,
      startHash: startParameter ? requestHash(startParameter) : null,
    });
    return success({ cname, uid, resourceId });
  }

  start(resourceId: string, mode: string, body: unknown): Answer {
    const refusals = this.#refusals;
    const malformed = refusals.ofBody(startBodyRefusals, body);
    if (malformed) return malformed;
    const { cname, uid, clientRequest } = taskBodyOf.parse(body);
    const read = this.#ids.read(resourceId);
    const unreadable = refusals.when("start.resource_unreadable", () => read === null);
    if (unreadable) return unreadable;
    const claims = read ?? this.#claimsOfNobody(cname, uid);
    const running = this.tasks.find(({ record }) => record.resourceId === resourceId);
    const expiresAt = claims.issuedAt + this.#settings.resourceIdSeconds * 1000;
    const foreign =
      refusals.when("start.resource_of_another_app", () => claims.appId !== this.#settings.appId) ??
      refusals.when("start.resource_mismatch", () => claims.cname !== cname || claims.uid !== uid);
    if (foreign) return foreign;
    const twice = refusals.when(
      "start.already_started",
      () => running !== undefined || this.#used.has(resourceId),
    );
    if (twice) return this.#startedTwice(twice, running);
    const refused =
      refusals.when("start.resource_expired", () => expiresAt < Date.now()) ??
      refusals.when("start.mode", () => mode !== "mix") ??
      refusals.when("start.scene", () => claims.scene !== realTimeScene) ??
      refusals.when(
        "start.request_hash",
        () => claims.startHash !== null && claims.startHash !== requestHash(clientRequest),
      ) ??
      refusals.when("start.services", () => clientRequest.recordingConfig === undefined) ??
      refusals.ofBody(
        startRequestRefusals,
        body,
        clientRequest.recordingConfig === undefined ? ["start.channel_type"] : [],
      ) ??
      refusals.ofBody(storageConfigRefusals, body, this.#storageExceptions()) ??
      refusals.when("start.task_conflict", () =>
        this.tasks.some(({ record }) => record.cname === cname && record.uid === uid),
      ) ??
      refusals.when("start.ceiling", () => this.#isFull());
    if (refused) return refused;
    this.#rememberUsed(resourceId, expiresAt);
    const now = Date.now();
    const sid = randomBytes(16).toString("hex");
    const request = startRequestOf.parse(clientRequest);
    const task = this.#take({
      resourceId,
      sid,
      cname,
      uid,
      recorderUid: uid,
      startedAt: now,
      controlUntil: now + claims.expiredHours * hourMs,
      failovers: 0,
      nextSequence: 0,
      moduleSequences: {},
      isLeaving: false,
      hasMedia: false,
      files: [],
      layout: layoutOf.parse(request.recordingConfig.transcodingConfig),
      backup: null,
      request,
    });
    this.#parts.store.save(task.record);
    task.life.start();
    return success({ cname, uid, resourceId, sid });
  }

  query(path: TaskPath): Answer {
    const found = this.#find(path);
    return "answer" in found ? found.answer : found.task.query();
  }

  async stop(path: TaskPath, body: unknown): Promise<Answer> {
    const refused = this.#refusals.ofBody(
      { ...taskBodyRefusals, "stop.async_stop": stopRefusals["stop.async_stop"] },
      body,
    );
    if (refused) return refused;
    const found = this.#find(path, body);
    return "answer" in found
      ? found.answer
      : found.task.stop(at(body, "clientRequest", "async_stop") === true);
  }

  update(path: TaskPath, body: unknown): Answer {
    const storage = at(body, "clientRequest", "storageConfig");
    const refused =
      this.#refusals.ofBody({ ...taskBodyRefusals, ...updateRefusals }, body) ??
      (storage === undefined
        ? null
        : this.#refusals.ofBody(storageConfigRefusals, body, this.#storageExceptions()));
    if (refused) return refused;
    const found = this.#find(path, body);
    if ("answer" in found) return found.answer;
    return found.task.update(storage === undefined ? undefined : storageConfigOf.parse(storage));
  }

  updateLayout(path: TaskPath, body: unknown): Answer {
    const refused = this.#refusals.ofBody({ ...taskBodyRefusals, ...updateLayoutRefusals }, body);
    if (refused) return refused;
    const found = this.#find(path, body);
    if ("answer" in found) return found.answer;
    return found.task.updateLayout(layoutOf.parse(taskBodyOf.parse(body).clientRequest));
  }

  /** Who publishes in a channel from now on; takes effect on recorders that are in it. */
  setPublishers(cname: string, publishers: AgoraSettings["publishers"]): void {
    this.#people.setPublishers(cname, publishers);
    this.publishingChanged(cname);
  }

  /** Somebody may have begun or ceased to publish in a channel. */
  publishingChanged(cname: string): void {
    for (const task of this.tasks) {
      if (task.record.cname === cname) task.life.publishingChanged();
    }
  }

  /** Uids of the people in a channel: a recorder that joins with one of them is thrown out. */
  setMembers(cname: string, uids: string[]): void {
    this.#people.setMembers(cname, uids);
  }

  /** Goes on with the tasks that the last process left behind. */
  resumeUnfinished(): void {
    for (const record of this.#parts.store.unfinished()) {
      const { sid, cname } = record;
      if (record.backup?.forwardsAt) {
        this.#parts.log("going on with files in the backup cloud", { sid, cname });
        this.#parts.backupCloud.forward(record);
        continue;
      }
      this.#parts.log("going on with a task of the last run", { sid, cname });
      this.#take(record).life.resume();
    }
  }

  /** Ends all tasks as if the process had been killed. */
  async abandon(): Promise<void> {
    await Promise.all(this.tasks.map((task) => task.life.abandon()));
  }

  #take(record: Task["record"]): Task {
    const task = new Task(record, {
      ...this.#parts,
      settings: this.#settings,
      people: this.#people,
      onGone: (sid) => this.#tasks.delete(sid),
    });
    this.#tasks.set(record.sid, task);
    return task;
  }

  #startedTwice(refused: Answer, running: Task | undefined): Answer {
    // Event 3: a call did not fit the state.
    running?.tellStatus();
    if (!running || !this.#settings.unconfirmed.sidInAlreadyStarted) return refused;
    const { code, reason } = { code: at(refused.body, "code"), reason: at(refused.body, "reason") };
    return { ...refused, body: { code, reason, sid: running.record.sid } };
  }

  #find(path: TaskPath, body?: unknown): { task: Task } | { answer: Answer } {
    const refusals = this.#refusals;
    const claims = this.#ids.read(path.resourceId);
    const task = this.#tasks.get(path.sid);
    const isStruck = () =>
      this.#parts.faults.take("gone", { sid: path.sid, cname: task?.record.cname }) !== undefined;
    const { cname, uid } = taskBodyOf.parse(body ?? {});
    const answer =
      refusals.when("task.resource_unreadable", () => claims === null) ??
      refusals.when("task.gone", () => task === undefined || path.mode !== "mix") ??
      refusals.when("task.failover", () => task?.life.isMoving === true || isStruck()) ??
      refusals.when("task.control_expired", () => task?.isBeyondControl === true) ??
      refusals.when("task.sid_mismatch", () => task?.record.resourceId !== path.resourceId) ??
      refusals.when(
        "task.resource_mismatch",
        () => body !== undefined && (cname !== task?.record.cname || uid !== task.record.uid),
      );
    if (answer) return { answer };
    return task ? { task } : { answer: success() };
  }

  #isFull(): boolean {
    return this.#tasks.size >= this.#settings.maxConcurrentTasks;
  }

  #storageExceptions(): ["storage.prefix_hyphen"] | [] {
    return this.#settings.unconfirmed.hyphenInPrefix === "left out" ? ["storage.prefix_hyphen"] : [];
  }

  /** Stands for a resourceId that nothing refused although it says nothing. */
  #claimsOfNobody(cname: string, uid: string): Omit<ResourceClaims, "nonce"> {
    const { appId } = this.#settings;
    return { appId, cname, uid, scene: 0, issuedAt: Date.now(), expiredHours: 72, startHash: null };
  }

  #rememberUsed(resourceId: string, until: number): void {
    const now = Date.now();
    for (const [used, end] of this.#used) if (end < now) this.#used.delete(used);
    this.#used.set(resourceId, until);
  }
}
