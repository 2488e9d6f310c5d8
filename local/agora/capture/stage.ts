import type { MediaKind } from "../../../web/src/calls/transport.ts";
import type { Person } from "../calls/channel.ts";
import { Canvas } from "./canvas.ts";
import { type Cell, cellsFor } from "./layout.ts";
import type { CaptureLayout, CaptureOrder, MediaItem } from "./messages.ts";
import { SoundTrack } from "./sound-track.ts";
import { VideoTrack } from "./video-track.ts";

export type AskForKey = (uid: number, kind: "camera" | "screen") => void;

type Shown = "picture" | "card";

/** Everybody who is in the call: takes their packets, gives the composed picture and the mixed sound of a moment. */
export class Stage {
  readonly #order: CaptureOrder;
  readonly #askForKey: AskForKey;
  readonly #canvas: Canvas | null;
  readonly #videos = new Map<string, { ssrc: number; track: VideoTrack }>();
  readonly #sounds = new Map<number, { ssrc: number; track: SoundTrack }>();
  /** Who was there from when on (monotonic ms): applied when the recording comes to that moment. */
  #changes: { at: number; people: Person[] }[] = [];
  #people: Person[] = [];
  #cells: Cell[] = [];
  #layoutOf = "";
  #layout: CaptureLayout;
  readonly #shown = new Map<string, Shown>();
  /** What senders said last of their clocks, by uid and kind: may come before their first packet. */
  readonly #reports = new Map<string, Extract<MediaItem, { type: "report" }>>();

  constructor(order: CaptureOrder, askForKey: AskForKey) {
    this.#order = order;
    this.#layout = order.layout;
    this.#askForKey = askForKey;
    this.#canvas = order.video
      ? new Canvas(order.video.width, order.video.height, order.layout.backgroundColor)
      : null;
  }

  /** The picture that `draw` draws into; I420. */
  get pixels(): Buffer {
    return this.#canvas?.pixels ?? Buffer.alloc(0);
  }

  /** Who is in the call from `at` on, and what they send. */
  setPeople(people: Person[], at: number): void {
    this.#changes.push({ at, people });
  }

  /** Draws in this layout from now on. */
  rearrange(layout: CaptureLayout): void {
    this.#layout = layout;
    this.#layoutOf = "";
    this.#canvas?.setBackground(layout.backgroundColor);
  }

  take(item: MediaItem): void {
    if (item.type === "report") this.#reports.set(`${item.uid} ${item.kind}`, item);
    if (item.kind === "microphone") this.#takeSound(item);
    else this.#takeVideo(item, item.kind);
  }

  /** Draws what was to be seen at `moment`; everything that arrived before `heardUntil` was taken. */
  draw(moment: number, heardUntil: number): void {
    const canvas = this.#canvas;
    if (!canvas) return;
    this.#applyChanges(moment);
    this.#arrange(canvas);
    for (const cell of this.#cells) {
      const name = `${cell.uid} ${cell.kind}`;
      const person = this.#people.find(({ uid }) => uid === cell.uid);
      // Decoded even where it is not shown: later pictures are made from earlier ones.
      const picture = this.#videos.get(name)?.track.at(moment, heardUntil) ?? null;
      const isOn = person?.publications[cell.kind] === "on";
      if (picture && isOn) {
        if (picture.isNew || this.#shown.get(name) !== "picture" || this.#overlaps(cell)) {
          canvas.draw(picture.frame, cell);
        }
        this.#shown.set(name, "picture");
      } else if (this.#shown.get(name) !== "card" || this.#overlaps(cell)) {
        canvas.drawCard(person?.name || String(cell.uid), cell);
        this.#shown.set(name, "card");
      }
    }
  }

  /** Adds everybody's sound from `position` on (samples of the monotonic clock). */
  mix(left: Float32Array, right: Float32Array, position: number, count: number): void {
    for (const { track } of this.#sounds.values()) track.mixInto(left, right, position, count);
  }

  close(): void {
    for (const { track } of this.#videos.values()) track.close();
    for (const { track } of this.#sounds.values()) track.close();
    this.#canvas?.close();
  }

  #takeSound(item: MediaItem): void {
    if (this.#order.audio === null) return;
    const known = this.#sounds.get(item.uid);
    if (item.type === "report") {
      known?.track.report(item.rtpTime, item.capturedAt, item.at);
      return;
    }
    if (known?.ssrc === item.ssrc) {
      known.track.push(item);
      return;
    }
    // A page that came back begins anew.
    known?.track.close();
    const track = new SoundTrack();
    this.#tellLastReport(`${item.uid} microphone`, track);
    this.#sounds.set(item.uid, { ssrc: item.ssrc, track });
    track.push(item);
  }

  #takeVideo(item: MediaItem, kind: Exclude<MediaKind, "microphone">): void {
    if (!this.#canvas) return;
    const name = `${item.uid} ${kind}`;
    const known = this.#videos.get(name);
    if (item.type === "report") {
      known?.track.report(item.rtpTime, item.capturedAt, item.at);
      return;
    }
    if (known?.ssrc === item.ssrc) {
      known.track.push(item);
      return;
    }
    known?.track.close();
    const track = new VideoTrack(this.#order.delayMs, () => this.#askForKey(item.uid, kind));
    this.#tellLastReport(name, track);
    this.#videos.set(name, { ssrc: item.ssrc, track });
    track.push(item);
  }

  #tellLastReport(name: string, track: SoundTrack | VideoTrack): void {
    const last = this.#reports.get(name);
    if (last) track.report(last.rtpTime, last.capturedAt, last.at);
  }

  #applyChanges(moment: number): void {
    while (this.#changes[0] && this.#changes[0].at <= moment) {
      this.#people = this.#changes.shift()?.people ?? [];
      for (const [name, { track }] of this.#videos) {
        if (this.#people.some(({ uid }) => name.startsWith(`${uid} `))) continue;
        if (this.#changes.some(({ people }) => people.some(({ uid }) => name.startsWith(`${uid} `))))
          continue;
        track.close();
        this.#videos.delete(name);
      }
    }
  }

  #arrange(canvas: Canvas): void {
    const people = this.#people.map(({ uid, publications }) => ({
      uid,
      hasScreen: publications.screen === "on",
    }));
    const name = JSON.stringify(people);
    if (name === this.#layoutOf) return;
    this.#layoutOf = name;
    const { width, height } = canvas;
    this.#cells = cellsFor({ ...this.#layout, width, height }, people);
    this.#shown.clear();
    canvas.clear();
  }

  /** True for cells that stand on others, which are drawn over with each picture below. */
  #overlaps(cell: Cell): boolean {
    const [below] = this.#cells;
    return below !== undefined && below !== cell && below.width > cell.x && below.height > cell.y;
  }
}
