import { randomBytes } from "node:crypto";
import type { Log } from "../stack/part.ts";
import { type Answer, answers } from "./answers.ts";
import type { Faults } from "./faults.ts";
import {
  acquireBody,
  isChannelName,
  parseOr,
  resourceExpiredHour,
  startBody,
  startRequest,
  stopBody,
  updateBody,
  updateLayoutBody,
} from "./request-rules.ts";
import { type ResourceClaims, ResourceIds, requestHash } from "./resource-id.ts";
import type { AgoraSettings } from "./settings.ts";
import { Task } from "./task.ts";
import type { TaskStore } from "./task-store.ts";
import type { Notifier } from "./webhooks.ts";

/** Ids of a call on a running task, as they stand in its path. */
export interface TaskPath {
  resourceId: string;
  sid: string;
  mode: string;
}

/** scene of acquire for individual and mix recording. */
const realTimeScene = 0;
const hourMs = 3_600_000;

/** The recording service behind the gateway: its calls, and the tasks that run. */
export class RecordingService {
  readonly #settings: AgoraSettings;
  readonly #faults: Faults;
  readonly #store: TaskStore;
  readonly #notifier: Notifier;
  readonly #log: Log;
  readonly #ids: ResourceIds;
  readonly #tasks = new Map<string, Task>();
  /** resourceIds that were started, with the end of their validity (UTC ms): one recording each. */
  readonly #used = new Map<string, number>();
  readonly #publishers = new Map<string, AgoraSettings["publishers"]>();

  constructor(
    settings: AgoraSettings,
    parts: { faults: Faults; store: TaskStore; notifier: Notifier; log: Log },
  ) {
    this.#settings = settings;
    this.#faults = parts.faults;
    this.#store = parts.store;
    this.#notifier = parts.notifier;
    this.#log = parts.log;
    this.#ids = new ResourceIds(`${settings.appCertificate}:${settings.customerSecret}`);
  }

  get tasks(): Task[] {
    return [...this.#tasks.values()];
  }

  acquire(body: unknown): Answer {
    const parsed = parseOr(acquireBody, body, "post method api body check failed!");
    if (!parsed.ok) return parsed.answer;
    const { cname, uid, clientRequest } = parsed.value;
    if (!isChannelName(cname)) return answers.invalidChannel;
    const hours = parseOr(
      resourceExpiredHour,
      clientRequest.resourceExpiredHour,
      "Acquire: invalid resourceExpiredHour value!",
    );
    if (!hours.ok) return hours.answer;
    if (this.#tasks.size >= this.#settings.maxConcurrentTasks) return answers.overload;
    const { scene, startParameter } = clientRequest;
    const resourceId = this.#ids.issue({
      appId: this.#settings.appId,
      cname,
      uid,
      scene,
      issuedAt: Date.now(),
      expiredHours: hours.value,
      startHash: startParameter ? requestHash(startParameter) : null,
    });
    return { status: 200, body: { cname, uid, resourceId } };
  }

  start(resourceId: string, mode: string, body: unknown): Answer {
    const parsed = parseOr(startBody, body);
    if (!parsed.ok) return parsed.answer;
    const { cname, uid, clientRequest } = parsed.value;
    const claims = this.#claims(resourceId);
    if (!claims) return answers.resourceUnreadable;
    if (claims.cname !== cname || claims.uid !== uid) return answers.resourceMismatch;
    const running = this.tasks.find(({ record }) => record.resourceId === resourceId);
    if (running) {
      running.tellStatus();
      return answers.alreadyStarted;
    }
    const expiresAt = claims.issuedAt + this.#settings.resourceIdSeconds * 1000;
    if (expiresAt < Date.now()) return answers.resourceExpired;
    if (this.#used.has(resourceId)) return answers.alreadyStarted;
    const refusal = refusalOfMode(mode, claims, clientRequest);
    if (refusal) return refusal;
    const request = parseOr(startRequest, clientRequest);
    if (!request.ok) return request.answer;
    if (this.tasks.some(({ record }) => record.cname === cname && record.uid === uid)) {
      return answers.taskConflict;
    }
    if (this.#tasks.size >= this.#settings.maxConcurrentTasks) return answers.noWorkerForStart;
    this.#rememberUsed(resourceId, expiresAt);
    const now = Date.now();
    const sid = randomBytes(16).toString("hex");
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
      isLeaving: false,
      hasMedia: false,
      files: [],
      request: request.value,
    });
    this.#store.save(task.record);
    task.start();
    return { status: 200, body: { cname, uid, resourceId, sid } };
  }

  query(path: TaskPath): Answer {
    const found = this.#find(path);
    return "answer" in found ? found.answer : found.task.query();
  }

  async stop(path: TaskPath, body: unknown): Promise<Answer> {
    const parsed = parseOr(stopBody, body);
    if (!parsed.ok) return parsed.answer;
    const found = this.#find(path, parsed.value);
    return "answer" in found ? found.answer : found.task.stop(parsed.value.clientRequest.async_stop);
  }

  update(path: TaskPath, body: unknown): Answer {
    const parsed = parseOr(updateBody, body);
    if (!parsed.ok) return parsed.answer;
    const found = this.#find(path, parsed.value);
    return "answer" in found ? found.answer : found.task.update(parsed.value.clientRequest.storageConfig);
  }

  updateLayout(path: TaskPath, body: unknown): Answer {
    const parsed = parseOr(updateLayoutBody, body);
    if (!parsed.ok) return parsed.answer;
    const found = this.#find(path, parsed.value);
    return "answer" in found ? found.answer : found.task.update(undefined);
  }

  /** Who publishes in a channel from now on; takes effect on recorders that are in it. */
  setPublishers(cname: string, publishers: AgoraSettings["publishers"]): void {
    const before = this.#isPublishing(cname);
    this.#publishers.set(cname, publishers);
    if (before === this.#isPublishing(cname)) return;
    for (const task of this.tasks) {
      if (task.record.cname === cname) task.setPublishing(publishers === "synthetic");
    }
  }

  /** Goes on with the tasks that the last process left behind. */
  resumeUnfinished(): void {
    for (const record of this.#store.unfinished()) {
      this.#log("going on with a task of the last run", { sid: record.sid, cname: record.cname });
      this.#take(record).resume();
    }
  }

  /** Ends all tasks as if the process had been killed. */
  async abandon(): Promise<void> {
    await Promise.all(this.tasks.map((task) => task.abandon()));
  }

  #take(record: Task["record"]): Task {
    const task = new Task(record, {
      settings: this.#settings,
      store: this.#store,
      notifier: this.#notifier,
      faults: this.#faults,
      log: this.#log,
      isPublishing: (cname) => this.#isPublishing(cname),
      onGone: ({ record: { sid } }) => this.#tasks.delete(sid),
    });
    this.#tasks.set(record.sid, task);
    return task;
  }

  #find(path: TaskPath, body?: { cname: string; uid: string }): { task: Task } | { answer: Answer } {
    const claims = this.#claims(path.resourceId);
    if (!claims) return { answer: answers.resourceUnreadable };
    const task = this.#tasks.get(path.sid);
    if (!task?.isVisible || path.mode !== "mix") return { answer: answers.gone };
    if (task.record.resourceId !== path.resourceId) return { answer: answers.sidMismatch };
    if (this.#faults.take("gone", ({ sid }) => sid === undefined || sid === path.sid)) {
      return { answer: answers.gone };
    }
    if (body && (body.cname !== claims.cname || body.uid !== claims.uid)) {
      return { answer: answers.resourceMismatch };
    }
    return { task };
  }

  #claims(resourceId: string): ResourceClaims | null {
    const claims = this.#ids.read(resourceId);
    return claims?.appId === this.#settings.appId ? claims : null;
  }

  #isPublishing(cname: string): boolean {
    return (this.#publishers.get(cname) ?? this.#settings.publishers) === "synthetic";
  }

  #rememberUsed(resourceId: string, until: number): void {
    const now = Date.now();
    for (const [used, end] of this.#used) if (end < now) this.#used.delete(used);
    this.#used.set(resourceId, until);
  }
}

function refusalOfMode(
  mode: string,
  claims: ResourceClaims,
  request: Record<string, unknown>,
): Answer | null {
  if (mode !== "mix") return answers.badBody(`mode ${mode} is not served by this stand-in`);
  if (claims.scene !== realTimeScene) return answers.badBody(`scene ${claims.scene} does not fit mode mix`);
  if (claims.startHash && claims.startHash !== requestHash(request)) {
    return answers.badBody("request_hash mismatch!");
  }
  if (!request.recordingConfig) return answers.badBody("services not selected!");
  return null;
}
