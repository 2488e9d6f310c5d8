import { events } from "../events.ts";
import { tracksOf } from "../tracks.ts";
import type { EngineEvent } from "../webhooks.ts";
import { playlistName } from "./file-listing.ts";
import type { TaskDeps } from "./task-deps.ts";
import type { TaskRecord } from "./task-store.ts";

/** What one task tells by events, numbered in the order of telling. */
export class TaskEvents {
  readonly #record: TaskRecord;
  readonly #deps: Pick<TaskDeps, "settings" | "store" | "notifier">;
  readonly #ended: AbortSignal;

  /** Once `ended` is aborted nothing is told any more. */
  constructor(
    record: TaskRecord,
    deps: Pick<TaskDeps, "settings" | "store" | "notifier">,
    ended: AbortSignal,
  ) {
    this.#record = record;
    this.#deps = deps;
    this.#ended = ended;
  }

  /** Tells one event; `sentAt` in UTC ms. */
  tell(event: Pick<EngineEvent, "eventType" | "serviceType" | "details">, sentAt = Date.now()): void {
    if (this.#ended.aborted) return;
    const record = this.#record;
    const ofTask = record.nextSequence++;
    const ofModule = record.moduleSequences[event.serviceType] ?? 0;
    record.moduleSequences[event.serviceType] = ofModule + 1;
    const sequence = this.#deps.settings.unconfirmed.sequencePer === "task" ? ofTask : ofModule;
    this.#deps.store.save(record);
    const { cname, recorderUid, sid } = record;
    this.#deps.notifier.send({ ...event, cname, uid: recorderUid, sid, sequence, sentAt });
  }

  /** Event 3: a call did not fit the state. */
  tellStatus(status: number): void {
    this.tell(events.statusUpdate(status, this.#playlist()));
  }

  /** Event 4: the playlist is in the bucket. */
  tellPlaylist(): void {
    this.tell(events.fileInfos(this.#playlist()));
  }

  /** Events 40 to 44 and 30, of a recorder that begins; `at` in UTC ms. */
  tellBeginning(isReceiving: boolean, at: number): void {
    this.tell(events.recorderStarted(), at);
    if (this.#deps.settings.unconfirmed.eventsWithoutSchema) {
      this.tell(events.highAvailability());
      this.tell(events.infoChanged("audio"));
      this.tell(events.infoChanged("video"));
    }
    if (isReceiving) this.tellStreams(true, at);
    this.tell(events.uploaderStarted());
  }

  /** Events 42, 43 and 44: media comes from now on, or does not; `at` in UTC ms. */
  tellStreams(isReceiving: boolean, at: number): void {
    const { video, audio, trackType } = tracksOf(this.#record.request);
    if (isReceiving) this.tell(events.sliceStart(at, trackType), at);
    if (video) this.tell(events.streamState("video", isReceiving, at), at);
    if (audio) this.tell(events.streamState("audio", isReceiving, at), at);
  }

  #playlist(): string {
    return playlistName(this.#record, this.#deps.settings.unconfirmed);
  }
}
