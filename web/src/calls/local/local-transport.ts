import { closeDevice, listDevices, openDevice } from "../devices.ts";
import { Emitter } from "../emitter.ts";
import {
  type CallCredentials,
  type CallEvents,
  CallRefusal,
  type CallTransport,
  type CallTrouble,
  type ConnectionState,
  type Device,
  type JoinOptions,
  type Levels,
  type MediaKind,
  mediaKinds,
  type Peer,
  type PublicationState,
} from "../transport.ts";
import { Media } from "./media.ts";
import type { RemotePeer, ServerMessage } from "./messages.ts";
import { Signalling } from "./signalling.ts";

const joinLimitMs = 15_000;
/** Pauses before each further try to come back; the last one is repeated. */
const reconnectAfterMs = [300, 1_000, 2_000, 5_000];
/** A token with less time left than this is renewed before it is used. */
const renewBeforeMs = 30_000;

interface Sent {
  track: MediaStreamTrack;
  muted: boolean;
  /** Opened here, so closed here. */
  isOurs: boolean;
}

/** A way into calls over the media server of the local stack (see messages.ts). */
export class LocalTransport implements CallTransport {
  readonly #emitter = new Emitter<CallEvents>();
  readonly #sent = new Map<MediaKind, Sent>();
  #state: ConnectionState = "idle";
  #peers: RemotePeer[] = [];
  #credentials: CallCredentials | undefined;
  #options: JoinOptions = {};
  #signalling: Signalling | undefined;
  #media: Media | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;
  /** Tells a lost attempt's late answers from those of the present one. */
  #attempt = 0;
  /** Tracks that the page was told of, by uid and kind. */
  readonly #told = new Map<string, MediaStreamTrack>();

  get state(): ConnectionState {
    return this.#state;
  }

  get peers(): readonly Peer[] {
    return this.#peers;
  }

  async join(credentials: CallCredentials, options: JoinOptions = {}): Promise<void> {
    if (this.#state !== "idle") throw new Error("a transport joins one call, once");
    if (!credentials.url) {
      const message = "The credentials name no media server.";
      throw new CallRefusal({ code: "address_missing", message, retry: false });
    }
    this.#credentials = credentials;
    this.#options = options;
    await new Promise<void>((resolve, reject) => {
      const limit = setTimeout(() => {
        const message = "The media server did not let us in within 15 s.";
        this.#end({ code: "join_timed_out", message, retry: true });
      }, joinLimitMs);
      const stop = this.on("connection", ({ state, trouble }) => {
        if (state !== "connected" && state !== "closed") return;
        stop();
        clearTimeout(limit);
        if (state === "connected") resolve();
        else
          reject(new CallRefusal(trouble ?? { code: "left", message: "The call was left.", retry: false }));
      });
      this.#become("connecting");
      this.#connect();
    });
  }

  async publish(
    kind: MediaKind,
    source?: MediaStreamTrack | { deviceId: string },
  ): Promise<MediaStreamTrack> {
    const isOurs = !(source instanceof MediaStreamTrack);
    const track = source instanceof MediaStreamTrack ? source : await openDevice(kind, source?.deviceId);
    if (this.#state === "closed") {
      if (isOurs) closeDevice(track);
      throw new Error("the call is over");
    }
    this.#release(kind);
    this.#sent.set(kind, { track, muted: false, isOurs });
    // The person ends a shared screen in the browser's own bar, or pulls a cable.
    track.addEventListener("ended", () => {
      if (this.#sent.get(kind)?.track === track) void this.unpublish(kind);
    });
    track.enabled = true;
    await this.#media?.send(kind, track);
    this.#tellPublications();
    return track;
  }

  async unpublish(kind: MediaKind): Promise<void> {
    this.#release(kind);
    await this.#media?.send(kind, null);
    this.#tellPublications();
  }

  async mute(kind: MediaKind, muted: boolean): Promise<void> {
    const sent = this.#sent.get(kind);
    if (!sent || sent.muted === muted) return;
    sent.muted = muted;
    // Sound goes on as silence, so that its time goes on too; a picture is not sent at all.
    if (kind === "microphone") sent.track.enabled = !muted;
    else await this.#media?.send(kind, muted ? null : sent.track);
    this.#tellPublications();
  }

  devices(): Promise<Device[]> {
    return listDevices();
  }

  async levels(): Promise<Levels> {
    const levels = new Map<number, number>();
    for (const [slot, level] of (await this.#media?.levels()) ?? []) {
      const peer = this.#peers.find((found) => found.slot === slot);
      const uid = slot < 0 ? this.#credentials?.uid : peer?.uid;
      const isSilent = peer ? peer.publications.microphone !== "on" : !this.#sends("microphone");
      if (uid !== undefined && (slot < 0 || peer)) levels.set(uid, isSilent ? 0 : level);
    }
    return levels;
  }

  trackOf(uid: number, kind: MediaKind): MediaStreamTrack | undefined {
    const peer = this.#peers.find((found) => found.uid === uid);
    return peer && peer.publications[kind] !== "off" ? this.#media?.trackIn(peer.slot, kind) : undefined;
  }

  async leave(): Promise<void> {
    if (this.#state === "closed") return;
    for (const kind of mediaKinds) this.#release(kind);
    this.#end(undefined);
  }

  on<Name extends keyof CallEvents>(name: Name, listener: (event: CallEvents[Name]) => void): () => void {
    return this.#emitter.on(name, listener);
  }

  #connect(): void {
    const credentials = this.#credentials;
    if (!credentials?.url) return;
    const attempt = ++this.#attempt;
    const isPresent = () => attempt === this.#attempt && this.#state !== "closed";
    this.#signalling = new Signalling(
      credentials.url,
      {
        type: "join",
        app_id: credentials.app_id,
        channel: credentials.channel,
        uid: credentials.uid,
        token: credentials.token,
        name: this.#options.name ?? "",
      },
      (message) => {
        if (!isPresent()) return;
        this.#take(message, isPresent).catch((error: unknown) => {
          if (isPresent()) this.#lost({ code: "media_failed", message: String(error), retry: true });
        });
      },
      (trouble) => {
        if (isPresent()) this.#lost(trouble);
      },
    );
  }

  async #take(message: ServerMessage, isPresent: () => boolean): Promise<void> {
    if (message.type === "peers") return this.#setPeers(message.peers);
    if (message.type !== "joined") return;
    const media = new Media((state) => {
      if (!isPresent()) return;
      if (state === "connected") this.#connected();
      if (state === "failed") {
        this.#lost({ code: "media_lost", message: "The connection for media was lost.", retry: true });
      }
    });
    this.#media = media;
    const sdp = await media.answer(message.sdp);
    for (const [kind, { track, muted }] of this.#sent) {
      if (!muted || kind === "microphone") await media.send(kind, track);
    }
    if (!isPresent()) return media.close();
    this.#signalling?.send({ type: "answer", sdp });
    this.#tellPublications();
    this.#setPeers(message.peers);
  }

  #connected(): void {
    this.#tries = 0;
    this.#become("connected");
  }

  /** The connection is gone: it is made again where that can help. */
  #lost(trouble: CallTrouble): void {
    const isExpired = trouble.code === "token_expired";
    const isHopeless = !trouble.retry || (isExpired && !this.#options.renew);
    // Who was never in learns why at once, unless the server could not be reached.
    const isRefusedAtFirst = this.#state === "connecting" && trouble.code !== "connection_lost" && !isExpired;
    if (isHopeless || isRefusedAtFirst) {
      this.#end(trouble);
      return;
    }
    this.#drop();
    if (this.#state === "connected") this.#become("reconnecting", trouble);
    const pause = reconnectAfterMs[Math.min(this.#tries, reconnectAfterMs.length - 1)] ?? 0;
    this.#tries += 1;
    this.#retry = setTimeout(() => {
      this.#renewed(isExpired)
        .then(() => {
          if (this.#state !== "closed") this.#connect();
        })
        .catch((error: unknown) => {
          if (this.#state === "closed") return;
          const message = error instanceof Error ? error.message : String(error);
          this.#lost({ code: "credentials_missing", message, retry: true });
        });
    }, pause);
  }

  async #renewed(isExpired: boolean): Promise<void> {
    const { renew } = this.#options;
    const left = Date.parse(this.#credentials?.expires_at ?? "") - Date.now();
    if (renew && (isExpired || left < renewBeforeMs)) this.#credentials = await renew();
  }

  #end(trouble: CallTrouble | undefined): void {
    if (this.#state === "closed") return;
    clearTimeout(this.#retry);
    this.#drop();
    for (const kind of mediaKinds) this.#release(kind);
    this.#setPeers([]);
    this.#become("closed", trouble);
  }

  #drop(): void {
    this.#attempt += 1;
    this.#signalling?.close();
    this.#media?.close();
    this.#signalling = undefined;
    this.#media = undefined;
  }

  #become(state: ConnectionState, trouble?: CallTrouble): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#emitter.tell("connection", trouble ? { state, trouble } : { state });
  }

  /** Takes over who is there and tells what changed. */
  #setPeers(now: RemotePeer[]): void {
    const before = this.#peers;
    this.#peers = now;
    for (const peer of before) {
      if (now.some(({ uid }) => uid === peer.uid)) continue;
      for (const kind of mediaKinds) this.#told.delete(`${peer.uid} ${kind}`);
      this.#emitter.tell("peer_left", { peer });
    }
    for (const peer of now) {
      const known = before.find(({ uid }) => uid === peer.uid);
      if (!known) this.#emitter.tell("peer_joined", { peer });
      for (const kind of mediaKinds) this.#tellChange(peer, kind, known?.publications[kind] ?? "off");
    }
  }

  #tellChange(peer: RemotePeer, kind: MediaKind, was: PublicationState): void {
    const name = `${peer.uid} ${kind}`;
    const is = peer.publications[kind];
    if (is === "off") {
      if (this.#told.delete(name)) this.#emitter.tell("track_ended", { peer, kind });
      return;
    }
    const track = this.#media?.trackIn(peer.slot, kind);
    if (track && this.#told.get(name) !== track) {
      this.#told.set(name, track);
      this.#emitter.tell("track", { peer, kind, track });
    }
    if ((is === "muted") !== (was === "muted")) {
      this.#emitter.tell("muted", { peer, kind, muted: is === "muted" });
    }
  }

  #sends(kind: MediaKind): boolean {
    const sent = this.#sent.get(kind);
    return sent !== undefined && !sent.muted;
  }

  #tellPublications(): void {
    const stateOf = (kind: MediaKind) => {
      const sent = this.#sent.get(kind);
      return sent === undefined ? "off" : sent.muted ? "muted" : "on";
    };
    this.#signalling?.send({
      type: "publications",
      publications: {
        microphone: stateOf("microphone"),
        camera: stateOf("camera"),
        screen: stateOf("screen"),
      },
    });
  }

  #release(kind: MediaKind): void {
    const sent = this.#sent.get(kind);
    this.#sent.delete(kind);
    if (sent?.isOurs) closeDevice(sent.track);
  }
}
