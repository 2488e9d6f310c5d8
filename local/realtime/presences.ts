import type { Vsn } from "./frames.ts";
import { encodeText } from "./frames.ts";

/** What one channel says of itself; Phoenix gives each version of it a reference. */
export type Meta = Record<string, unknown> & { phx_ref: string; phx_ref_prev?: string };
/** Who is there, by key; a key that is shared by several channels (tabs) has several metas. */
export type PresenceState = Record<string, { metas: Meta[] }>;

/** A joined channel that may be told who is there. */
export interface PresenceReceiver {
  readonly topic: string;
  readonly joinRef: string | null;
  readonly vsn: Vsn;
  /** Wants presence and may read it. */
  hearsPresence(): boolean;
  sendFrame(frame: string): void;
}

interface Tracked {
  key: string;
  meta: Meta;
}

interface Room {
  receivers: Set<PresenceReceiver>;
  tracked: Map<PresenceReceiver, Tracked>;
}

/** Who is present where. A channel is present at most once, under the key of its join; a public and a private topic are two rooms. */
export class Presences {
  readonly #rooms = new Map<string, Room>();
  #lastRef = 0;

  join(topic: string, isPrivate: boolean, receiver: PresenceReceiver): void {
    const name = nameOf(topic, isPrivate);
    const room = this.#rooms.get(name) ?? { receivers: new Set(), tracked: new Map() };
    this.#rooms.set(name, room);
    room.receivers.add(receiver);
  }

  /** The channel is gone, and with it its presence. */
  leave(topic: string, isPrivate: boolean, receiver: PresenceReceiver): void {
    const name = nameOf(topic, isPrivate);
    const room = this.#rooms.get(name);
    if (room === undefined || !room.receivers.delete(receiver)) return;
    this.untrack(topic, isPrivate, receiver);
    if (room.receivers.size === 0) this.#rooms.delete(name);
  }

  /** Shows the channel under its key, or replaces what it said before. Tells everybody there, the channel too. */
  track(topic: string, isPrivate: boolean, receiver: PresenceReceiver, key: string, said: object): void {
    const room = this.#rooms.get(nameOf(topic, isPrivate));
    if (room === undefined) return;
    this.#lastRef += 1;
    const before = room.tracked.get(receiver);
    const meta: Meta = {
      ...said,
      phx_ref: `F${this.#lastRef.toString(36).padStart(8, "0")}`,
      ...(before === undefined ? {} : { phx_ref_prev: before.meta.phx_ref }),
    };
    room.tracked.set(receiver, { key, meta });
    tell(room, grouped([{ key, meta }]), grouped(before === undefined ? [] : [before]));
  }

  untrack(topic: string, isPrivate: boolean, receiver: PresenceReceiver): void {
    const room = this.#rooms.get(nameOf(topic, isPrivate));
    const before = room?.tracked.get(receiver);
    if (room === undefined || before === undefined) return;
    room.tracked.delete(receiver);
    tell(room, {}, grouped([before]));
  }

  stateOf(topic: string, isPrivate: boolean): PresenceState {
    return grouped([...(this.#rooms.get(nameOf(topic, isPrivate))?.tracked.values() ?? [])]);
  }
}

function tell(room: Room, joins: PresenceState, leaves: PresenceState): void {
  for (const receiver of room.receivers) {
    if (!receiver.hearsPresence()) continue;
    const { vsn, topic, joinRef } = receiver;
    const payload = { joins, leaves };
    receiver.sendFrame(encodeText(vsn, { joinRef, ref: null, topic, event: "presence_diff", payload }));
  }
}

function grouped(list: Tracked[]): PresenceState {
  // No prototype: a key is whatever a client chose.
  const state: PresenceState = Object.create(null);
  for (const { key, meta } of list) {
    const known = state[key];
    if (known === undefined) state[key] = { metas: [meta] };
    else known.metas.push(meta);
  }
  return state;
}

function nameOf(topic: string, isPrivate: boolean): string {
  return `${isPrivate ? "private" : "public"}:${topic}`;
}
