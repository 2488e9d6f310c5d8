import type { MediaKind } from "../../../web/src/calls/transport.ts";
import type { MediaItem } from "./messages.ts";

type Packet = Extract<MediaItem, { type: "packet" }>;
type Report = Extract<MediaItem, { type: "report" }>;

/** What takes in one thing that somebody sends. */
export interface SenderTrack {
  push(packet: Packet): void;
  report(rtpTime: number, capturedAt: number, at: number): void;
  close(): void;
}

const nameOf = (uid: number, kind: MediaKind) => `${uid} ${kind}`;

/** The tracks of everybody who sends: one per person and kind, made with its first packet. A page that came back begins anew. */
export class SenderTracks<Kind extends MediaKind, Track extends SenderTrack> {
  readonly #make: (uid: number, kind: Kind) => Track;
  readonly #tracks = new Map<string, { uid: number; ssrc: number; track: Track }>();
  /** What senders said last of their clocks: may come before their first packet. */
  readonly #reports = new Map<string, Report>();

  constructor(make: (uid: number, kind: Kind) => Track) {
    this.#make = make;
  }

  /** Gives an item that is of this kind to its track. */
  take(item: MediaItem, kind: Kind): void {
    const name = nameOf(item.uid, kind);
    const known = this.#tracks.get(name);
    if (item.type === "report") {
      this.#reports.set(name, item);
      known?.track.report(item.rtpTime, item.capturedAt, item.at);
      return;
    }
    if (known?.ssrc === item.ssrc) {
      known.track.push(item);
      return;
    }
    known?.track.close();
    const track = this.#make(item.uid, kind);
    const last = this.#reports.get(name);
    if (last) track.report(last.rtpTime, last.capturedAt, last.at);
    this.#tracks.set(name, { uid: item.uid, ssrc: item.ssrc, track });
    track.push(item);
  }

  get(uid: number, kind: Kind): Track | undefined {
    return this.#tracks.get(nameOf(uid, kind))?.track;
  }

  all(): Track[] {
    return [...this.#tracks.values()].map(({ track }) => track);
  }

  /** Closes the tracks of everybody else. */
  keepOnly(isKept: (uid: number) => boolean): void {
    for (const [name, { uid, track }] of this.#tracks) {
      if (isKept(uid)) continue;
      track.close();
      this.#tracks.delete(name);
    }
  }

  close(): void {
    this.keepOnly(() => false);
  }
}
