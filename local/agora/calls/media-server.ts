/**
 * The media server of calls on this machine: a selective forwarding unit. Each page sends what it publishes once; it is forwarded, as
 * it came, to everybody else in the channel and to whoever records it. It stands where Agora's media servers stand, takes the same
 * tokens, and speaks a protocol of its own (web/src/calls/local/messages.ts).
 *
 * What it does not do: simulcast, more than four people, other codecs than H.264 and Opus, other addresses than 127.0.0.1.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { Log } from "../../stack/part.ts";
import { mayPublish, tokenExpired, verifyRtcToken } from "../rtc-token.ts";
import { Channel, type Person, type Tap } from "./channel.ts";
import { Session, type SessionDeps } from "./session.ts";
import type { CallSettings } from "./settings.ts";

/** Path of the signalling socket on the part's server. */
export const callsPath = "/calls";
/** Above the largest message of the protocol. */
const largestMessage = 131_072;

export interface MediaServerDeps {
  settings: CallSettings;
  appId: string;
  appCertificate: string;
  log: Log;
  /** Somebody begins or ceases to publish in a channel. */
  onPublishing(cname: string, isPublishing: boolean): void;
}

export class MediaServer {
  readonly #deps: MediaServerDeps;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: largestMessage });
  readonly #sessions = new Set<Session>();
  readonly #channels = new Map<string, Channel>();
  readonly #publishing = new Set<string>();

  constructor(deps: MediaServerDeps) {
    this.#deps = deps;
  }

  /** Takes over a request to upgrade on the part's HTTP server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const path = (request.url ?? "/").split("?")[0];
    if (path !== callsPath || this.#sessions.size >= this.#deps.settings.mostSockets) {
      const status = path === callsPath ? "503 Service Unavailable" : "404 Not Found";
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (opened) => {
      const session = new Session(opened, {
        settings: this.#deps.settings,
        admit: (join) => this.#admit(join),
        channelOf: (name) => this.#channelOf(name),
        onGone: (gone, why) => {
          this.#sessions.delete(gone);
          if (gone.uid !== 0) this.#deps.log("left a call", { uid: gone.uid, why });
        },
      });
      this.#sessions.add(session);
    });
  }

  /** Whether anybody is joined to a channel, publishing or not. */
  isJoined(cname: string): boolean {
    return (this.#channels.get(cname)?.people.length ?? 0) > 0;
  }

  isPublishing(cname: string): boolean {
    return this.#channels.get(cname)?.isPublishing ?? false;
  }

  peopleOf(cname: string): Person[] {
    return this.#channels.get(cname)?.people ?? [];
  }

  /** Gives everything that arrives in a channel to a recorder, from now until `end`. */
  tap(
    cname: string,
    tap: Tap,
  ): { askForKeyFrame(uid: number, kind: "camera" | "screen"): void; end(): void } {
    const channel = this.#channelOf(cname);
    return {
      askForKeyFrame: (uid, kind) => channel.askForKeyFrame(uid, kind),
      end: channel.tap(tap),
    };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
    this.#sockets.close();
  }

  #admit(join: Parameters<SessionDeps["admit"]>[0]): ReturnType<SessionDeps["admit"]> {
    const { appId, appCertificate, log } = this.#deps;
    if (join.app_id !== appId) {
      return { code: "app_unknown", message: "This server belongs to another App ID.", retry: false };
    }
    const verdict = verifyRtcToken(join.token, {
      appId,
      appCertificate,
      channel: join.channel,
      uid: String(join.uid),
      nowMs: Date.now(),
    });
    if (!verdict.ok) {
      log("a page could not join", { channel: join.channel, uid: join.uid, why: verdict.why });
      const isExpired = verdict.code === tokenExpired;
      return isExpired
        ? { code: "token_expired", message: "The token has ended.", retry: true }
        : { code: "token_invalid", message: "The token is not for this call and person.", retry: false };
    }
    if (!mayPublish(join.token, Date.now())) {
      return { code: "token_invalid", message: "The token is for listening only.", retry: false };
    }
    log("joined a call", { channel: join.channel, uid: join.uid });
    return { expiresAtMs: verdict.expiresAtMs };
  }

  #channelOf(cname: string): Channel {
    const known = this.#channels.get(cname);
    if (known) return known;
    const channel = new Channel(cname, (changed) => this.#changed(changed));
    this.#channels.set(cname, channel);
    return channel;
  }

  #changed(channel: Channel): void {
    const was = this.#publishing.has(channel.name);
    const is = channel.isPublishing;
    if (channel.isEmpty) this.#channels.delete(channel.name);
    else this.#channels.set(channel.name, channel);
    if (was === is) return;
    if (is) this.#publishing.add(channel.name);
    else this.#publishing.delete(channel.name);
    this.#deps.onPublishing(channel.name, is);
  }
}
