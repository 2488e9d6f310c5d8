import type { RtpPacket } from "werift";
import { mostPeople, type RemotePeer } from "../../../web/src/calls/local/messages.ts";
import type { MediaKind, Publications } from "../../../web/src/calls/transport.ts";
import { monotonicMs } from "./clock.ts";
import type { SenderReport } from "./peer-connection.ts";
import type { Session } from "./session.ts";

/** Somebody in a channel as a recorder sees them, in the order of joining. */
export interface Person {
  uid: number;
  name: string;
  publications: Publications;
}

/** Who records a channel: is given everything that arrives, beside the other people. Times are monotonic ms. */
export interface Tap {
  people(people: Person[]): void;
  packet(uid: number, kind: MediaKind, packet: RtpPacket, at: number): void;
  report(uid: number, kind: MediaKind, report: SenderReport, at: number): void;
}

/** One call at the media server: who is in it, and who gets whose packets. */
export class Channel {
  readonly name: string;
  readonly #onChanged: (channel: Channel) => void;
  readonly #sessions = new Map<number, Session>();
  readonly #taps = new Set<Tap>();

  constructor(name: string, onChanged: (channel: Channel) => void) {
    this.name = name;
    this.#onChanged = onChanged;
  }

  get isEmpty(): boolean {
    return this.#sessions.size === 0 && this.#taps.size === 0;
  }

  get people(): Person[] {
    return [...this.#sessions.values()].map(({ uid, name, publications }) => ({ uid, name, publications }));
  }

  get isPublishing(): boolean {
    return this.people.some(({ publications }) =>
      Object.values(publications).some((publication) => publication !== "off"),
    );
  }

  hasRoomFor(uid: number): boolean {
    return this.#sessions.has(uid) || this.#sessions.size < mostPeople;
  }

  /** The session of a person, who may come back before the server noticed that the old page is gone. */
  sessionOf(uid: number): Session | undefined {
    return this.#sessions.get(uid);
  }

  add(session: Session): void {
    for (const other of this.#sessions.values()) {
      other.take(session);
      session.take(other);
    }
    this.#sessions.set(session.uid, session);
    this.changed();
  }

  remove(session: Session): void {
    if (this.#sessions.get(session.uid) !== session) return;
    this.#sessions.delete(session.uid);
    for (const other of this.#sessions.values()) other.drop(session.uid);
    this.changed();
  }

  /** Tells everybody who is there and what they send. */
  changed(): void {
    for (const session of this.#sessions.values())
      session.send({ type: "peers", peers: this.peersOf(session) });
    for (const tap of this.#taps) tap.people(this.people);
    this.#onChanged(this);
  }

  peersOf(session: Session): RemotePeer[] {
    return [...this.#sessions.values()].flatMap(({ uid, name, publications }) => {
      const slot = session.slotOf(uid);
      return slot === undefined ? [] : [{ uid, name, slot, publications }];
    });
  }

  forward(from: Session, kind: MediaKind, packet: RtpPacket): void {
    if (this.#sessions.get(from.uid) !== from || from.publications[kind] === "off") return;
    for (const session of this.#sessions.values()) {
      if (session !== from) session.forward(from.uid, kind, packet);
    }
    if (this.#taps.size === 0) return;
    const at = monotonicMs();
    for (const tap of this.#taps) tap.packet(from.uid, kind, packet, at);
  }

  report(from: Session, kind: MediaKind, report: SenderReport): void {
    const at = monotonicMs();
    from.lastReports.set(kind, { report, at });
    for (const tap of this.#taps) tap.report(from.uid, kind, report, at);
  }

  askForKeyFrame(uid: number, kind: MediaKind): void {
    this.#sessions.get(uid)?.askForKeyFrame(kind);
  }

  /** Gives everything that arrives to a recorder too, until the returned function is called. */
  tap(tap: Tap): () => void {
    this.#taps.add(tap);
    tap.people(this.people);
    // Senders speak of their clocks every few seconds only; a recorder that comes later wants to know at once.
    for (const { uid, lastReports } of this.#sessions.values()) {
      for (const [kind, { report, at }] of lastReports) tap.report(uid, kind, report, at);
    }
    return () => {
      this.#taps.delete(tap);
      this.#onChanged(this);
    };
  }
}
