import type { RtpPacket } from "werift";
import type WebSocket from "ws";
import {
  type ClientMessage,
  clientMessage,
  type ServerMessage,
  slotCount,
} from "../../../web/src/calls/local/messages.ts";
import type { MediaKind, Publications } from "../../../web/src/calls/transport.ts";
import type { Channel } from "./channel.ts";
import { DescriptionRefused, PeerConnection, type SenderReport } from "./peer-connection.ts";
import type { CallSettings } from "./settings.ts";

type Join = Extract<ReturnType<typeof clientMessage.parse>, { type: "join" }>;

/** Why a page is sent away; `retry` says whether coming back can help. */
export interface Refusal {
  code: string;
  message: string;
  retry: boolean;
}

export interface SessionDeps {
  settings: CallSettings;
  /** Admits a page until its token ends (UTC ms), or says why not. */
  admit(join: Join): { expiresAtMs: number } | Refusal;
  /** The channel as it is now: one that everybody left is another one when somebody comes back. */
  channelOf(name: string): Channel;
  onGone(session: Session, why: string): void;
}

/** WebSocket close code for every refusal; what it is about stands in the message before it. */
const refusedCode = 4_400;
const missedHeartbeats = 3;

/** One page: its socket, and once it joined, its media. */
export class Session {
  uid = 0;
  name = "";
  publications: Publications = { microphone: "off", camera: "off", screen: "off" };
  /** What the page said last of its clocks, and when that came (monotonic ms). */
  readonly lastReports = new Map<MediaKind, { report: SenderReport; at: number }>();
  readonly #socket: WebSocket;
  readonly #deps: SessionDeps;
  /** Which uid sits in which slot of this page's connection. */
  readonly #slots: (number | undefined)[] = Array.from({ length: slotCount }, () => undefined);
  #channel: Channel | null = null;
  #connection: PeerConnection | null = null;
  #isAnswered = false;
  #isGone = false;
  #mediaAt = Number.NEGATIVE_INFINITY;
  #deadline: NodeJS.Timeout;
  #heartbeat: NodeJS.Timeout | undefined;
  #missed = 0;
  #expiry: NodeJS.Timeout | undefined;
  #secondBegan = 0;
  #messages = 0;

  constructor(socket: WebSocket, deps: SessionDeps) {
    this.#socket = socket;
    this.#deps = deps;
    // What came while the server stood still is read before it is judged.
    this.#deadline = setTimeout(() => setImmediate(() => this.#missJoin()), deps.settings.joinWithinMs);
    socket.on("message", (data, isBinary) => {
      this.#take(isBinary ? undefined : String(data)).catch((error: unknown) => {
        this.refuse({
          code: error instanceof DescriptionRefused ? error.code : "server_failed",
          message: error instanceof Error ? error.message : String(error),
          retry: !(error instanceof DescriptionRefused),
        });
      });
    });
    socket.on("close", () => this.#end("socket closed"));
    // A frame that is no frame, or too large: the library closes the socket.
    socket.on("error", () => undefined);
  }

  send(message: ServerMessage): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Says why, and closes. */
  refuse(refusal: Refusal): void {
    this.send({ type: "refused", ...refusal });
    this.#socket.close(refusedCode, refusal.code);
    this.#end(refusal.code);
  }

  slotOf(uid: number): number | undefined {
    const slot = this.#slots.indexOf(uid);
    return slot < 0 ? undefined : slot;
  }

  /** Gives another person a place in this page's connection. */
  take(other: Session): void {
    const slot = this.#slots.indexOf(undefined);
    if (slot < 0) return;
    this.#slots[slot] = other.uid;
    this.#connection?.changeSource(slot);
  }

  drop(uid: number): void {
    const slot = this.#slots.indexOf(uid);
    if (slot >= 0) this.#slots[slot] = undefined;
  }

  forward(from: number, kind: MediaKind, packet: RtpPacket): void {
    const slot = this.#slots.indexOf(from);
    if (slot >= 0) this.#connection?.forward(slot, kind, packet);
  }

  askForKeyFrame(kind: MediaKind): void {
    this.#connection?.askForKeyFrame(kind);
  }

  /** Ends the page's session because the server ends. */
  async close(): Promise<void> {
    this.#socket.close(1_001, "the server ends");
    this.#end("server ends");
    await this.#connection?.close();
  }

  async #take(text: string | undefined): Promise<void> {
    if (this.#isGone) return;
    if (!this.#isWithinRate()) {
      this.refuse({ code: "too_many_messages", message: "More messages than any page sends.", retry: false });
      return;
    }
    const message = readMessage(text);
    if (message === undefined) {
      this.refuse({ code: "message_invalid", message: "Not a message of this protocol.", retry: false });
      return;
    }
    if (message.type === "join") return this.#join(message);
    if (!this.#channel || !this.#connection) {
      this.refuse({ code: "not_joined", message: "The first message must be join.", retry: false });
      return;
    }
    this.#missed = 0;
    switch (message.type) {
      case "answer":
        if (this.#isAnswered) {
          this.refuse({ code: "message_unexpected", message: "A second answer.", retry: false });
          return;
        }
        this.#isAnswered = true;
        return this.#connection.accept(message.sdp);
      case "publications":
        this.publications = message.publications;
        this.#channel.changed();
        for (const kind of ["camera", "screen"] as const) {
          if (message.publications[kind] === "on") this.askForKeyFrame(kind);
        }
        return;
      case "leave":
        this.#end("left");
        this.#socket.close(1_000, "left");
        return;
      case "ping":
        this.send({ type: "pong" });
    }
  }

  async #join(join: Join): Promise<void> {
    if (this.uid !== 0) {
      this.refuse({ code: "message_unexpected", message: "A second join.", retry: false });
      return;
    }
    const admitted = this.#deps.admit(join);
    if ("code" in admitted) {
      this.refuse(admitted);
      return;
    }
    this.uid = join.uid;
    this.name = join.name;
    const connection = new PeerConnection(
      {
        packet: (kind, packet) => {
          this.#mediaAt = performance.now();
          this.#channel?.forward(this, kind, packet);
        },
        report: (kind, report) => this.#channel?.report(this, kind, report),
        keyFrameWanted: (slot, kind) => this.#channel?.askForKeyFrame(this.#slots[slot] ?? 0, kind),
        connected: () => this.#showEverybody(),
        failed: () => {
          if (this.#isGone) return;
          this.refuse({ code: "media_lost", message: "The connection for media was lost.", retry: true });
        },
      },
      this.#deps.settings.lossPercent,
    );
    this.#connection = connection;
    this.#watchHeartbeat();
    this.#expiry = setTimeout(
      () => this.refuse({ code: "token_expired", message: "The token has ended.", retry: true }),
      Math.min(admitted.expiresAtMs - Date.now(), 2 ** 31 - 1),
    );
    const sdp = await connection.offer();
    if (this.#isGone) return;
    const channel = this.#deps.channelOf(join.channel);
    if (!channel.hasRoomFor(this.uid)) {
      this.refuse({
        code: "channel_full",
        message: "There are four people in this call already.",
        retry: true,
      });
      return;
    }
    this.#channel = channel;
    // A page that comes back before its old one was missed takes its place.
    channel.sessionOf(this.uid)?.refuse({
      code: "joined_elsewhere",
      message: "The same person joined from another page.",
      retry: false,
    });
    channel.add(this);
    const heartbeat_ms = this.#deps.settings.heartbeatMs;
    this.send({ type: "joined", sdp, heartbeat_ms, peers: channel.peersOf(this) });
  }

  /** A page that has just connected has no picture of anybody yet. */
  #showEverybody(): void {
    for (const uid of this.#slots) {
      if (uid === undefined) continue;
      this.#channel?.askForKeyFrame(uid, "camera");
      this.#channel?.askForKeyFrame(uid, "screen");
    }
  }

  #missJoin(): void {
    if (this.uid !== 0) return;
    this.refuse({ code: "join_missing", message: "Nobody joined on this connection.", retry: true });
  }

  /** From now on signs of life are due. Media is one too, from a page that is too busy for messages. */
  #watchHeartbeat(): void {
    const { heartbeatMs } = this.#deps.settings;
    clearTimeout(this.#deadline);
    // Counted in beats of our own: a server that stood still has not read what came meanwhile.
    this.#heartbeat = setInterval(() => {
      this.#missed = performance.now() - this.#mediaAt < heartbeatMs ? 0 : this.#missed + 1;
      if (this.#missed <= missedHeartbeats) return;
      this.refuse({ code: "page_silent", message: "No sign of life came from the page.", retry: true });
    }, heartbeatMs);
  }

  #isWithinRate(): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#secondBegan) this.#messages = 0;
    this.#secondBegan = second;
    this.#messages += 1;
    return this.#messages <= this.#deps.settings.messagesPerSecond;
  }

  #end(why: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearTimeout(this.#deadline);
    clearInterval(this.#heartbeat);
    clearTimeout(this.#expiry);
    this.#channel?.remove(this);
    this.#connection?.close().catch(() => undefined);
    this.#deps.onGone(this, why);
  }
}

function readMessage(text: string | undefined): ReturnType<typeof clientMessage.parse> | undefined {
  if (text === undefined) return undefined;
  try {
    const json: ClientMessage = JSON.parse(text);
    return clientMessage.parse(json);
  } catch {
    return undefined;
  }
}
