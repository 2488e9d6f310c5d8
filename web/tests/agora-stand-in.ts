import type { AgoraClient, AgoraEvents, AgoraSdk, LocalTrack, RemoteUser } from "../src/calls/agora/sdk.ts";

/** An error as the SDK throws it: the code is one of AgoraRTCErrorCode. */
export class SdkError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(`AgoraRTCError ${code}`);
    this.code = code;
  }
}

export class StagedTrack extends EventTarget {
  readonly kind: "audio" | "video";
  readonly id: string;
  readyState: "live" | "ended" = "live";
  enabled = true;
  readonly copies: StagedTrack[] = [];

  constructor(kind: "audio" | "video", id: string) {
    super();
    this.kind = kind;
    this.id = id;
  }
  clone(): StagedTrack {
    const copy = new StagedTrack(this.kind, `${this.id} copy`);
    this.copies.push(copy);
    return copy;
  }
  stop(): void {
    this.readyState = "ended";
  }
}
/** Makes `instanceof MediaStreamTrack` true for staged tracks. */
export const track = (kind: "audio" | "video", id: string): MediaStreamTrack & StagedTrack =>
  new StagedTrack(kind, id) as MediaStreamTrack & StagedTrack;

interface StagedLocal {
  source: StagedTrack;
  isClosed: boolean;
  muted: boolean;
  optimizationMode: string | undefined;
}

/**
 * The part of Agora's Web SDK that the portal uses, as strict as the declarations and their remarks are: a client joins once at a time, one
 * uid is in a channel once, nothing is published before the join or after a track was closed, one picture per client, hosts only in live mode,
 * subscriptions only to what is published.
 */
export class AgoraStandIn {
  readonly clients: StagedClient[] = [];
  readonly calls: string[] = [];
  readonly #onAutoplayFailed = new Set<() => void>();
  logLevel: number | undefined;
  isSupported = true;
  resumed = 0;
  /** Awaited by every join; a test that sets it decides when. */
  gate: Promise<void> = Promise.resolve();
  /** Codes that the next joins are refused with. */
  readonly refusals: string[] = [];
  readonly inChannel = new Set<number>();

  readonly sdk = {
    setLogLevel: (level: number) => {
      this.logLevel = level;
    },
    checkSystemRequirements: () => this.isSupported,
    resumeAudioContext: () => {
      this.resumed += 1;
    },
    createClient: (config: { mode: string; codec: string; role?: string }) => {
      if (config.mode !== "live" && config.role !== undefined) throw new SdkError("INVALID_PARAMS");
      const client = new StagedClient(this, config);
      this.clients.push(client);
      return client as unknown as AgoraClient;
    },
    createCustomAudioTrack: (given: { mediaStreamTrack: unknown }) => local(given, "audio"),
    createCustomVideoTrack: (given: { mediaStreamTrack: unknown; optimizationMode?: string }) =>
      local(given, "video"),
    on: (_event: string, listener: () => void) => void this.#onAutoplayFailed.add(listener),
    off: (_event: string, listener: () => void) => void this.#onAutoplayFailed.delete(listener),
  } as unknown as AgoraSdk;

  readonly load = async (): Promise<AgoraSdk> => this.sdk;

  failAutoplay(): void {
    for (const listener of this.#onAutoplayFailed) listener();
  }

  get client(): StagedClient {
    const last = this.clients.at(-1);
    if (last === undefined) throw new Error("no client was made");
    return last;
  }
}

function local(
  { mediaStreamTrack, optimizationMode }: { mediaStreamTrack: unknown; optimizationMode?: string },
  kind: string,
) {
  const source = mediaStreamTrack as StagedTrack;
  if (source.kind !== kind || source.readyState !== "live") throw new SdkError("INVALID_TRACK");
  return {
    source,
    optimizationMode,
    isClosed: false,
    muted: false,
    trackMediaType: kind,
    async setMuted(muted: boolean) {
      if (this.isClosed) throw new SdkError("INVALID_OPERATION");
      this.muted = muted;
    },
    close() {
      this.isClosed = true;
      source.stop();
    },
    getVolumeLevel: () => 0.5,
  };
}

type State = AgoraClient["connectionState"];

export class StagedClient {
  readonly #stage: AgoraStandIn;
  readonly config: { mode: string; codec: string; role?: string };
  readonly #listeners = new Map<string, Set<(...args: never[]) => void>>();
  readonly published: StagedLocal[] = [];
  readonly tokens: string[] = [];
  connectionState: State = "DISCONNECTED";
  remoteUsers: RemoteUser[] = [];
  uid: number | undefined;

  constructor(stage: AgoraStandIn, config: { mode: string; codec: string; role?: string }) {
    this.#stage = stage;
    this.config = config;
  }

  on(event: string, listener: (...args: never[]) => void): void {
    const known = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, known.add(listener));
  }
  removeAllListeners(): void {
    this.#listeners.clear();
  }
  tell<Name extends keyof AgoraEvents>(event: Name, ...args: Parameters<AgoraEvents[Name]>): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(...(args as never[]));
  }
  become(state: State, reason?: string): void {
    const before = this.connectionState;
    this.connectionState = state;
    if (state === "DISCONNECTED") {
      if (this.uid !== undefined) this.#stage.inChannel.delete(this.uid);
      this.published.length = 0;
    }
    this.tell("connection-state-change", state, before, reason);
  }

  async join(appId: string, channel: string, token: string, uid: number): Promise<number> {
    if (this.connectionState !== "DISCONNECTED") throw new SdkError("INVALID_OPERATION");
    if (typeof uid !== "number") throw new SdkError("INVALID_PARAMS");
    this.#stage.calls.push(`join ${appId} ${channel} ${token} ${uid}`);
    this.become("CONNECTING");
    await this.#stage.gate;
    const refusal = this.#stage.inChannel.has(uid) ? "UID_CONFLICT" : this.#stage.refusals.shift();
    if (refusal !== undefined) {
      this.become("DISCONNECTED", refusal === "UID_CONFLICT" ? "UID_CONFLICT" : "SERVER_ERROR");
      throw new SdkError(refusal);
    }
    this.#stage.inChannel.add(uid);
    this.uid = uid;
    this.tokens.push(token);
    this.become("CONNECTED");
    return uid;
  }
  async leave(): Promise<void> {
    this.#stage.calls.push(`leave ${this.uid ?? ""}`.trim());
    if (this.connectionState === "DISCONNECTED") return;
    this.connectionState = "DISCONNECTING";
    // Not at once: whoever joins before it is done meets a conflict.
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.become("DISCONNECTED", "LEAVE");
  }
  async renewToken(token: string): Promise<void> {
    if (this.connectionState !== "CONNECTED") throw new SdkError("INVALID_OPERATION");
    this.tokens.push(token);
  }
  async publish(given: LocalTrack): Promise<void> {
    const sent = given as unknown as StagedLocal & { trackMediaType: string };
    if (this.connectionState !== "CONNECTED") throw new SdkError("INVALID_OPERATION");
    if (this.config.mode === "live" && this.config.role !== "host") throw new SdkError("INVALID_OPERATION");
    if (sent.isClosed) throw new SdkError("INVALID_LOCAL_TRACK");
    const hasPicture = this.published.some(({ source }) => source.kind === "video");
    if (sent.source.kind === "video" && hasPicture)
      throw new SdkError("CAN_NOT_PUBLISH_MULTIPLE_VIDEO_TRACKS");
    this.published.push(sent);
  }
  async unpublish(given: LocalTrack): Promise<void> {
    const index = this.published.indexOf(given as unknown as StagedLocal);
    if (index < 0) throw new SdkError("INVALID_LOCAL_TRACK");
    this.published.splice(index, 1);
  }
  async subscribe(user: RemoteUser, media: "audio" | "video"): Promise<unknown> {
    const known = this.remoteUsers.find(({ uid }) => uid === user.uid);
    if (known === undefined) throw new SdkError("INVALID_REMOTE_USER");
    if (media === "audio" ? !known.hasAudio : !known.hasVideo)
      throw new SdkError("REMOTE_USER_IS_NOT_PUBLISHED");
    return media === "audio" ? known.audioTrack : known.videoTrack;
  }

  /** Somebody comes, and publishes what is named. */
  come(uid: number, ...media: ("audio" | "video")[]): RemoteUser & { played: () => number } {
    let played = 0;
    let isPlaying = false;
    const remote = (kind: "audio" | "video") => ({
      getMediaStreamTrack: () => track(kind, `${kind} of ${uid}`),
      play: () => {
        played += 1;
        isPlaying = true;
      },
      stop: () => {
        isPlaying = false;
      },
      getVolumeLevel: () => (isPlaying ? 0.25 : 0),
      on: () => undefined,
    });
    const user = {
      uid,
      hasAudio: media.includes("audio"),
      hasVideo: media.includes("video"),
      audioTrack: remote("audio"),
      videoTrack: remote("video"),
      played: () => played,
    } as unknown as RemoteUser & { played: () => number };
    this.remoteUsers = [...this.remoteUsers, user];
    this.tell("user-joined", user);
    for (const kind of media) this.tell("user-published", user, kind);
    return user;
  }
}
