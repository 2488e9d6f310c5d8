import type { Person } from "../calls/channel.ts";
import { Canvas } from "./canvas.ts";
import { type Cell, cellsFor } from "./layout.ts";
import type { CaptureLayout, CaptureOrder, MediaItem } from "./messages.ts";
import { SenderTracks } from "./sender-tracks.ts";
import { SoundTrack } from "./sound-track.ts";
import { VideoTrack } from "./video-track.ts";

export type AskForKey = (uid: number, kind: "camera" | "screen") => void;

type Shown = "picture" | "card";

/** Everybody who is in the call: takes their packets, gives the composed picture and the mixed sound of a moment. */
export class Stage {
  readonly #canvas: Canvas | null;
  readonly #isHeard: boolean;
  readonly #videos: SenderTracks<"camera" | "screen", VideoTrack>;
  readonly #sounds = new SenderTracks<"microphone", SoundTrack>(() => new SoundTrack());
  /** Who was there from when on (monotonic ms): applied when the recording comes to that moment. */
  #changes: { at: number; people: Person[] }[] = [];
  #people: Person[] = [];
  #cells: Cell[] = [];
  #layoutOf = "";
  #layout: CaptureLayout;
  readonly #shown = new Map<string, Shown>();

  constructor(order: CaptureOrder, askForKey: AskForKey) {
    this.#layout = order.layout;
    this.#isHeard = order.audio !== null;
    this.#videos = new SenderTracks((uid, kind) => new VideoTrack(order.delayMs, () => askForKey(uid, kind)));
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
    if (item.kind !== "microphone") {
      if (this.#canvas) this.#videos.take(item, item.kind);
    } else if (this.#isHeard) this.#sounds.take(item, item.kind);
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
      const picture = this.#videos.get(cell.uid, cell.kind)?.at(moment, heardUntil) ?? null;
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
    for (const track of this.#sounds.all()) track.mixInto(left, right, position, count);
  }

  close(): void {
    this.#videos.close();
    this.#sounds.close();
    this.#canvas?.close();
  }

  #applyChanges(moment: number): void {
    while (this.#changes[0] && this.#changes[0].at <= moment) {
      this.#people = this.#changes.shift()?.people ?? [];
      const expected = [this.#people, ...this.#changes.map(({ people }) => people)].flat();
      this.#videos.keepOnly((uid) => expected.some((person) => person.uid === uid));
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
