import type { WebSocket } from "ws";
import { reasonOf } from "../stack/part.ts";
import { Channel, type ChannelSocket, type RealtimeContext, type Reply } from "./channels.ts";
import { decodeBinary, decodeText, encodeText, FrameError, type Vsn } from "./frames.ts";
import { JoinRefused, joinSchema } from "./joins.ts";

/** One client's socket with its channels. It ends when the socket closes. */
export class Connection implements ChannelSocket {
  readonly vsn: Vsn;
  readonly key: string;
  readonly headers: Record<string, string>;
  readonly #context: RealtimeContext;
  readonly #socket: WebSocket;
  readonly #channels = new Map<string, Channel>();
  /** What came for one topic is handled in order; topics do not wait for each other. */
  readonly #queues = new Map<string, Promise<void>>();
  #heardAt = Date.now();
  #isClosed = false;

  constructor(
    context: RealtimeContext,
    socket: WebSocket,
    opening: { vsn: Vsn; key: string; headers: Record<string, string> },
  ) {
    this.#context = context;
    this.#socket = socket;
    this.vsn = opening.vsn;
    this.key = opening.key;
    this.headers = opening.headers;
    socket.on("message", (data: Buffer, isBinary: boolean) => this.#hear(data, isBinary));
    socket.on("error", (error) => context.log("a socket failed", { reason: error.message }));
    socket.on("close", () => this.#close());
  }

  /** Closes the socket when nothing came from the client for too long. */
  closeIfIdle(nowMs: number): void {
    if (nowMs - this.#heardAt > this.#context.settings.idleTimeoutMs) this.#socket.terminate();
  }

  replicationIsBack(): void {
    for (const channel of this.#channels.values()) channel.replicationIsBack();
  }

  push(topic: string, joinRef: string | null, event: string, payload: object): void {
    this.sendFrame(encodeText(this.vsn, { joinRef, ref: null, topic, event, payload }));
  }

  sendFrame(frame: string | Buffer): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(frame);
  }

  ended(channel: Channel): void {
    if (this.#channels.get(channel.topic) === channel) this.#channels.delete(channel.topic);
    this.#sayClosed(channel);
  }

  #hear(data: Buffer, isBinary: boolean): void {
    this.#heardAt = Date.now();
    try {
      if (isBinary) {
        const push = decodeBinary(data);
        this.#inOrder(push.topic, async () => {
          const channel = this.#joined(push.topic, push.joinRef);
          this.#reply(push, channel ? await channel.handleBinary(push) : unmatched);
        });
        return;
      }
      const message = decodeText(this.vsn, data.toString("utf8"));
      if (message.topic === "phoenix") {
        this.#reply(message, message.event === "heartbeat" ? ok : unmatched);
      } else if (message.event === "phx_join") {
        this.#inOrder(message.topic, () => this.#join(message));
      } else {
        this.#inOrder(message.topic, () => this.#handle(message));
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#context.log("a frame could not be read, its socket is closed", { reason: error.message });
      this.#socket.close(1003, "unreadable frame");
    }
  }

  async #join(message: Pushed & { payload: unknown }): Promise<void> {
    const { topic, ref } = message;
    if (!topic.startsWith("realtime:")) return this.#reply(message, unmatched);
    const existing = this.#channels.get(topic);
    if (existing !== undefined) {
      existing.close();
      this.ended(existing);
    }
    // A client of version 1.0.0 may leave the join's own reference out: it is the message's.
    const joinRef = message.joinRef ?? ref;
    const join = joinSchema.parse(message.payload);
    try {
      if (this.#channels.size >= this.#context.settings.maxChannelsPerConnection) {
        throw new JoinRefused("ChannelRateLimitReached: Too many channels");
      }
      const channel = new Channel(this.#context, this, topic, joinRef, join);
      // Entered before it is open, so that many joins at once cannot pass the limit.
      this.#channels.set(topic, channel);
      const response = await channel.open();
      if (this.#isClosed) return channel.close();
      this.#reply({ topic, ref, joinRef }, { status: "ok", response });
      channel.opened();
    } catch (error) {
      this.#channels.delete(topic);
      if (!(error instanceof JoinRefused)) {
        this.#context.log("a join failed", { topic, reason: reasonOf(error) });
      }
      const reason = error instanceof JoinRefused ? error.message : "Unknown Error on Channel";
      await new Promise((resolve) => setTimeout(resolve, this.#context.settings.joinErrorDelayMs).unref());
      this.#reply({ topic, ref, joinRef }, { status: "error", response: { reason } });
    }
  }

  async #handle(message: Pushed & { event: string; payload: unknown }): Promise<void> {
    const channel = this.#joined(message.topic, message.joinRef);
    if (message.event === "phx_leave") {
      // Leaving what is not joined is fine too.
      this.#reply(message, ok);
      if (channel === undefined) return;
      channel.close();
      this.ended(channel);
      return;
    }
    this.#reply(message, channel ? await channel.handle(message.event, message.payload) : unmatched);
  }

  /** The channel, unless the message was meant for an earlier join of the topic. */
  #joined(topic: string, joinRef: string | null): Channel | undefined {
    const channel = this.#channels.get(topic);
    if (channel === undefined || (joinRef !== null && joinRef !== channel.joinRef)) return undefined;
    return channel;
  }

  #inOrder(topic: string, work: () => Promise<void>): void {
    const queue = (this.#queues.get(topic) ?? Promise.resolve()).then(async () => {
      if (this.#isClosed) return;
      try {
        await work();
      } catch (error) {
        this.#context.log("a message could not be handled", { topic, reason: reasonOf(error) });
      }
    });
    this.#queues.set(topic, queue);
    void queue.then(() => {
      if (this.#queues.get(topic) === queue) this.#queues.delete(topic);
    });
  }

  #reply({ topic, ref, joinRef }: Pushed, reply: Reply): void {
    if (reply === undefined) return;
    this.sendFrame(encodeText(this.vsn, { joinRef, ref, topic, event: "phx_reply", payload: reply }));
  }

  #sayClosed({ topic, joinRef }: Channel): void {
    this.sendFrame(encodeText(this.vsn, { joinRef, ref: joinRef, topic, event: "phx_close", payload: {} }));
  }

  #close(): void {
    this.#isClosed = true;
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }
}

interface Pushed {
  topic: string;
  ref: string | null;
  joinRef: string | null;
}

const ok: Reply = { status: "ok", response: {} };
const unmatched: Reply = { status: "error", response: { reason: "unmatched topic" } };
