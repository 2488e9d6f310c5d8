import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { MediaKind } from "../../../web/src/calls/transport.ts";
import type { Person } from "../calls/channel.ts";
import { monotonicMs } from "../calls/clock.ts";
import type { MediaServer } from "../calls/media-server.ts";
import { goFirst } from "../calls/priority.ts";
import type { RecordingSink } from "../media/recording-files.ts";
import type { CaptureLayout, CaptureOrder, FromRecorder, MediaItem, ToRecorder } from "./messages.ts";

/** Packets go to the recorder in bundles this often, ms: one message each would cost more than the packets. */
const bundleMs = 20;
/**
 * So many bundles ago counts as heard. Timers come before sockets in each round of an event loop: after the process stood still, the next
 * bundle is made before what waits in the sockets is read, and one round does not read all of it.
 */
const bundlesUntilHeard = 4;
/** A recorder from which nothing comes for so many of our own seconds is ended; seconds in which we stood still do not count. */
const silentSeconds = 10;

export interface CaptureDeps {
  mediaServer: MediaServer;
  channel: string;
  sink: RecordingSink;
  /** The process ended without being asked to. */
  onDied(why: string): void;
}

/** The engine's end of a process that records one call (main.ts beside this file). */
export class CaptureProcess {
  readonly #deps: CaptureDeps;
  readonly #child: ChildProcess;
  readonly #opened = Promise.withResolvers<void>();
  readonly #finished = Promise.withResolvers<void>();
  #items: MediaItem[] = [];
  /** When the last bundles were made, the oldest first. */
  #bundledAt: number[] = [];
  #bundler: NodeJS.Timeout | undefined;
  readonly #watchdog: NodeJS.Timeout;
  #silentSeconds = 0;
  #endTap: () => void = () => undefined;
  #askForKeyFrame: (uid: number, kind: "camera" | "screen") => void = () => undefined;
  #wallOffset = Date.now() - monotonicMs();
  #isEnding = false;
  #isDead = false;

  private constructor(deps: CaptureDeps) {
    this.#deps = deps;
    this.#child = fork(join(import.meta.dirname, "main.ts"), {
      // Much is made and forgotten each second: a large nursery would only be memory that waits to be swept.
      execArgv: ["--max-semi-space-size=4"],
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", (message: FromRecorder) => this.#take(message));
    this.#child.on("error", () => undefined);
    this.#child.once("exit", (code, signal) => this.#died(signal ?? `code ${code}`));
    this.#watchdog = setInterval(() => {
      this.#silentSeconds += 1;
      if (this.#silentSeconds >= silentSeconds) this.#child.kill("SIGKILL");
    }, 1_000);
    this.#watchdog.unref();
    goFirst(this.#child.pid);
  }

  /** Starts the process and opens its encoders. Throws when it cannot. */
  static async open(order: CaptureOrder, deps: CaptureDeps): Promise<CaptureProcess> {
    const capture = new CaptureProcess(deps);
    capture.#send({ type: "open", order });
    await capture.#opened.promise;
    return capture;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Starts the recording now; gives the moment, UTC ms. */
  begin(paused: boolean): number {
    const at = monotonicMs();
    const startedAt = Date.now();
    this.#wallOffset = startedAt - at;
    const tap = this.#deps.mediaServer.tap(this.#deps.channel, {
      people: (people: Person[]) => this.#send({ type: "people", people, at: monotonicMs() }),
      packet: (uid, kind: MediaKind, { header, payload }, arrivedAt) =>
        this.#items.push({
          type: "packet",
          uid,
          kind,
          at: arrivedAt,
          ssrc: header.ssrc,
          sequence: header.sequenceNumber,
          rtpTime: header.timestamp,
          marker: header.marker,
          payload,
        }),
      report: (uid, kind, { rtpTime, wallMs }, arrivedAt) =>
        this.#items.push({
          type: "report",
          uid,
          kind,
          at: arrivedAt,
          rtpTime,
          capturedAt: wallMs - this.#wallOffset,
        }),
    });
    this.#endTap = tap.end;
    this.#askForKeyFrame = tap.askForKeyFrame;
    for (const { uid } of this.#deps.mediaServer.peopleOf(this.#deps.channel)) {
      tap.askForKeyFrame(uid, "camera");
      tap.askForKeyFrame(uid, "screen");
    }
    this.#send({ type: "begin", at, wallOffset: this.#wallOffset, paused });
    this.#bundler = setInterval(() => this.#flush(), bundleMs);
    return startedAt;
  }

  /** Draws in another layout from now on. */
  rearrange(layout: CaptureLayout): void {
    this.#send({ type: "rearrange", layout });
  }

  pause(): void {
    this.#send({ type: "pause", at: monotonicMs() });
  }

  resume(): void {
    this.#send({ type: "resume", at: monotonicMs() });
  }

  /** Ends the recording now; resolves when everything was handed over, or the process died over it. */
  async finish(): Promise<{ endedAt: number }> {
    const at = monotonicMs();
    const endedAt = Math.round(at + this.#wallOffset);
    this.#isEnding = true;
    if (!this.#isDead) {
      this.#send({ type: "finish", at });
      await this.#finished.promise;
    }
    await this.abandon();
    return { endedAt };
  }

  /** Ends the process without waiting for anything it holds. */
  async abandon(): Promise<void> {
    this.#isEnding = true;
    this.#close();
    if (this.#isDead) return;
    const gone = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    this.#child.kill("SIGKILL");
    await gone;
  }

  #take(message: FromRecorder): void {
    this.#silentSeconds = 0;
    switch (message.type) {
      case "opened":
        this.#opened.resolve();
        return;
      case "slice":
        this.#deps.sink.slice(message);
        return;
      case "mp4":
        this.#deps.sink.mp4(message);
        return;
      case "key_frame_wanted":
        this.#askForKeyFrame(message.uid, message.kind);
        return;
      case "finished":
        this.#finished.resolve();
        return;
      case "failed":
        // Whatever it was: a fresh process can go on, this one cannot.
        this.#opened.reject(new Error(message.message));
        this.#died(message.message);
        this.#child.kill("SIGKILL");
        return;
      case "alive":
    }
  }

  #died(why: string): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#close();
    this.#opened.reject(new Error(`the recorder process ended: ${why}`));
    // Whoever waits for its end gets what was handed over before.
    this.#finished.resolve();
    if (!this.#isEnding) this.#deps.onDied(why);
  }

  #close(): void {
    clearInterval(this.#bundler);
    clearInterval(this.#watchdog);
    this.#endTap();
    this.#endTap = () => undefined;
    this.#items = [];
  }

  #flush(): void {
    this.#bundledAt.push(monotonicMs());
    if (this.#bundledAt.length <= bundlesUntilHeard) return;
    const heardUntil = this.#bundledAt.shift() ?? 0;
    const items = this.#items;
    this.#items = [];
    this.#send({ type: "media", items, heardUntil });
  }

  #send(message: ToRecorder): void {
    if (this.#isDead || !this.#child.connected) return;
    this.#child.send(message, () => undefined);
  }
}
