import { setTimeout as pause } from "node:timers/promises";
import { type Answer, success } from "../answers.ts";
import type { Layout, StorageConfig } from "../request-rules.ts";
import { timeOf } from "./file-listing.ts";
import type { TaskDeps } from "./task-deps.ts";
import { TaskLife } from "./task-life.ts";
import type { TaskRecord } from "./task-store.ts";

/** Status number of query from which on the recorder exits. */
const stopAsked = 6;

/** One engine task, a resourceId and a sid: what calls and switches ask of it. What it does by itself is its life. */
export class Task {
  readonly record: TaskRecord;
  readonly life: TaskLife;
  readonly #deps: TaskDeps;

  constructor(record: TaskRecord, deps: TaskDeps) {
    this.record = record;
    this.#deps = deps;
    this.life = new TaskLife(record, deps);
  }

  /** True past its resourceExpiredHour. */
  get isBeyondControl(): boolean {
    return Date.now() >= this.record.controlUntil;
  }

  /** Answers a stop call: at once when `isAsync`, otherwise when everything is uploaded. */
  async stop(isAsync: boolean): Promise<Answer> {
    const { refusals, settings } = this.#deps;
    const { life } = this;
    const exiting = refusals.when("stop.exiting", () => life.isLeaving);
    if (exiting) return exiting;
    const { hasMedia } = life;
    life.leaveFor("stop");
    const empty = refusals.when("stop.nothing_recorded", () => !hasMedia);
    if (empty) return empty;
    if (isAsync) return this.#answer({ serverResponse: life.uploads.toldAtOnce() });
    const patience = new AbortController();
    const slow = pause(settings.slowStopMs, null, { ref: false, signal: patience.signal }).catch(() => null);
    const first = await Promise.race([life.settled, slow]);
    patience.abort();
    const tooSlow = refusals.when("stop.slow", () => first === null);
    if (tooSlow) return tooSlow;
    const { isUploaded } = first ?? (await life.settled);
    return this.#answer({ serverResponse: life.uploads.toldInTheEnd(isUploaded) });
  }

  query(): Answer {
    const { refusals, settings } = this.#deps;
    const { life } = this;
    const exiting = refusals.when(
      "query.exiting",
      () => settings.unconfirmed.queryWhileExiting === "501" && life.status >= stopAsked,
    );
    if (exiting) return exiting;
    return this.#answer({
      serverResponse: {
        status: life.status,
        ...life.uploads.listing(),
        sliceStartTime: timeOf(life.worker?.startedAt ?? 0, settings.unconfirmed),
      },
    });
  }

  /** Answers update; new bucket keys are used from the next upload on. */
  update(storage: StorageConfig | undefined): Answer {
    if (storage) this.life.uploads.changeStorage(storage);
    return this.#answer({});
  }

  /** Answers updateLayout; what it leaves out falls back to its default. */
  updateLayout(layout: Layout): Answer {
    this.record.layout = layout;
    this.life.worker?.rearrange(layout);
    this.#deps.store.save(this.record);
    return this.#answer({});
  }

  /** Event 3: a call did not fit the state. */
  tellStatus(): void {
    this.life.events.tellStatus(this.life.status);
  }

  /** Ends for a reason of the engine's own, as soon as it records. */
  endFor(reason: "idle" | "token" | "crash" | "kicked" | "silently"): void {
    this.life.leaveFor(reason, new Error("the recorder failed on demand"));
  }

  /** Lets its resourceExpiredHour pass at once. */
  endControl(): void {
    this.record.controlUntil = Date.now();
    this.#deps.store.save(this.record);
    if (this.#deps.settings.unconfirmed.expiryEndsTask) this.life.leaveFor("stop");
  }

  #answer(more: Record<string, unknown>): Answer {
    const { cname, uid, resourceId, sid } = this.record;
    return success({ cname, uid, resourceId, sid, ...more });
  }
}
