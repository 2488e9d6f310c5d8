import { encodeBroadcast, encodeText, type UserBroadcast, type Vsn } from "./frames.ts";

/** A broadcast on its way: either a client's payload as it came, or bytes that are passed on unread. */
export type Broadcast =
  | { kind: "message"; payload: object }
  | { kind: "bytes"; content: UserBroadcast; meta?: object };

/** A joined channel that takes broadcasts of its topic. */
export interface BroadcastReceiver {
  vsn: Vsn;
  /** Joined with the topic's name but without the right to read broadcasts (presence only). */
  isDeaf(): boolean;
  sendFrame(frame: string | Buffer): void;
}

const prefix = "realtime:";

/** Who has joined which topic. A public and a private topic of one name have nothing to do with each other. */
export class Topics {
  readonly #receivers = new Map<string, Set<BroadcastReceiver>>();

  join(topic: string, isPrivate: boolean, receiver: BroadcastReceiver): void {
    const key = keyOf(topic, isPrivate);
    const receivers = this.#receivers.get(key) ?? new Set();
    this.#receivers.set(key, receivers.add(receiver));
  }

  leave(topic: string, isPrivate: boolean, receiver: BroadcastReceiver): void {
    const key = keyOf(topic, isPrivate);
    const receivers = this.#receivers.get(key);
    receivers?.delete(receiver);
    if (receivers?.size === 0) this.#receivers.delete(key);
  }

  /** Sends to everybody who joined the topic (named without its `realtime:`) except one, the sender. */
  broadcast(topic: string, isPrivate: boolean, broadcast: Broadcast, except?: BroadcastReceiver): void {
    const frames = new Map<Vsn, string | Buffer | null>();
    for (const receiver of this.#receivers.get(keyOf(topic, isPrivate)) ?? []) {
      if (receiver === except || receiver.isDeaf()) continue;
      // Written once per protocol version, however many listen.
      let frame = frames.get(receiver.vsn);
      if (frame === undefined) {
        frame = frameOf(receiver.vsn, prefix + topic, broadcast);
        frames.set(receiver.vsn, frame);
      }
      if (frame !== null) receiver.sendFrame(frame);
    }
  }
}

function frameOf(vsn: Vsn, topic: string, broadcast: Broadcast): string | Buffer | null {
  const text = (payload: object) =>
    encodeText(vsn, { joinRef: null, ref: null, topic, event: "broadcast", payload });
  if (broadcast.kind === "message") return text(broadcast.payload);
  const { content, meta } = broadcast;
  if (vsn === "2.0.0") {
    const frame = encodeBroadcast(topic, content, meta);
    if (frame !== null) return frame;
  }
  // Raw bytes cannot be said in text: a 1.0.0 client does not get them.
  if (content.encoding === "raw") return null;
  const payload: unknown = JSON.parse(content.bytes.toString("utf8"));
  return text({ type: "broadcast", event: content.event, payload, ...(meta === undefined ? {} : { meta }) });
}

function keyOf(topic: string, isPrivate: boolean): string {
  return `${isPrivate ? "private" : "public"}:${topic}`;
}
