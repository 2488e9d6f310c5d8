import { listDevices } from "../devices.ts";
import { Emitter } from "../emitter.ts";
import {
  type CallCredentials,
  type CallEvents,
  type CallQuality,
  CallRefusal,
  type CallTransport,
  type CallTrouble,
  type ConnectionState,
  type Device,
  type JoinOptions,
  type Levels,
  type MediaKind,
  type Peer,
} from "../transport.ts";
import { loadSdk } from "./load-sdk.ts";
import { Receiving } from "./receiving.ts";
import type { AgoraClient, AgoraSdk } from "./sdk.ts";
import { Sending } from "./sending.ts";
import { qualityOf, troubleOfEnd, troubleOfJoin } from "./troubles.ts";

const joinLimitMs = 15_000;
/** Pauses before each further try to renew or to come back; the last one is repeated. */
const againAfterMs = [1_000, 2_000, 5_000];

/**
 * Joining and leaving, in a row over all transports of the page: Agora takes the same person twice for a conflict, and neither is
 * idempotent.
 */
let doors: Promise<unknown> = Promise.resolve();
function throughTheDoor<Result>(pass: () => Promise<Result>): Promise<Result> {
  const passed = doors.then(pass, pass);
  doors = passed.catch(() => undefined);
  return passed;
}

/** A way into calls over Agora's network, with the Web SDK. */
export class AgoraTransport implements CallTransport {
  readonly playsSound = true;
  readonly screenReplacesCamera = true;
  readonly #load: () => Promise<AgoraSdk>;
  readonly #emitter = new Emitter<CallEvents>();
  readonly #sending = new Sending((kind) => void this.unpublish(kind));
  readonly #receiving = new Receiving(this.#emitter);
  #state: ConnectionState = "idle";
  #sdk: AgoraSdk | undefined;
  #client: AgoraClient | undefined;
  #credentials: CallCredentials | undefined;
  #options: JoinOptions = {};
  #quality: CallQuality["level"] = "good";
  #renewing: Promise<void> | undefined;
  /** What is sent changes one at a time. */
  #row: Promise<unknown> = Promise.resolve();

  constructor(load: () => Promise<AgoraSdk> = loadSdk) {
    this.#load = load;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get peers(): readonly Peer[] {
    return this.#receiving.peers;
  }

  async join(credentials: CallCredentials, options: JoinOptions = {}): Promise<void> {
    if (this.#state !== "idle") throw new Error("a transport joins one call, once");
    this.#credentials = credentials;
    this.#options = options;
    this.#become("connecting");
    const limit = setTimeout(() => {
      const message = "Agora did not let us in within 15 s.";
      this.#end({ code: "join_timed_out", message, retry: true });
    }, joinLimitMs);
    try {
      await throughTheDoor(() => this.#enter());
    } catch (error) {
      this.#end(error instanceof CallRefusal ? error : troubleOfJoin(error));
    } finally {
      clearTimeout(limit);
    }
    if (this.#trouble) throw new CallRefusal(this.#trouble);
    if (this.#isOver()) throw new CallRefusal({ code: "left", message: "The call was left.", retry: false });
  }

  publish(kind: MediaKind, source?: MediaStreamTrack | { deviceId: string }): Promise<MediaStreamTrack> {
    return this.#inRow(async () => {
      if (this.#isOver()) throw new Error("the call is over");
      return this.#sending.add(await this.#loaded(), kind, source, () => this.#isOver());
    });
  }

  unpublish(kind: MediaKind): Promise<void> {
    return this.#inRow(() => this.#sending.remove(kind));
  }

  mute(kind: MediaKind, muted: boolean): Promise<void> {
    return this.#inRow(() => this.#sending.mute(kind, muted));
  }

  devices(): Promise<Device[]> {
    return listDevices();
  }

  async levels(): Promise<Levels> {
    const levels = this.#receiving.levels();
    const own = this.#sending.level();
    if (own !== undefined && this.#credentials) levels.set(this.#credentials.uid, own);
    return levels;
  }

  trackOf(uid: number, kind: MediaKind): MediaStreamTrack | undefined {
    return this.#receiving.trackOf(uid, kind);
  }

  async resumeSound(): Promise<void> {
    this.#sdk?.resumeAudioContext();
    this.#receiving.playSound();
  }

  async leave(): Promise<void> {
    this.#end(undefined);
    // Whoever comes back at once must find the door free.
    await throughTheDoor(async () => undefined);
  }

  on<Name extends keyof CallEvents>(name: Name, listener: (event: CallEvents[Name]) => void): () => void {
    return this.#emitter.on(name, listener);
  }

  #trouble: CallTrouble | undefined;

  async #loaded(): Promise<AgoraSdk> {
    this.#sdk ??= await this.#load();
    return this.#sdk;
  }

  async #enter(): Promise<void> {
    const sdk = await this.#loaded();
    if (this.#isOver()) return;
    if (!sdk.checkSystemRequirements()) {
      const message = "This browser cannot hold calls.";
      throw new CallRefusal({ code: "browser_unsupported", message, retry: false });
    }
    const { mode } = this.#current();
    // The recorder writes H.264 as it comes; another codec would give WebM slices. In live mode only hosts may send.
    const client = sdk.createClient({ mode, codec: "h264", ...(mode === "live" ? { role: "host" } : {}) });
    this.#client = client;
    this.#listen(client);
    sdk.on("autoplay-failed", this.#onAutoplayFailed);
    globalThis.addEventListener("pagehide", this.#onPageHide);
    await this.#connect(client);
  }

  async #connect(client: AgoraClient): Promise<void> {
    const { app_id, channel, token, uid } = this.#current();
    // A number, never its text: the recorder's is one too, and Agora takes the two kinds for different people.
    await client.join(app_id, channel, token, uid);
    if (this.#isOver()) return this.#abandon(client);
    await this.#inRow(() => this.#sending.connect(client));
    if (this.#isOver()) return this.#abandon(client);
    this.#become("connected");
  }

  #listen(client: AgoraClient): void {
    this.#receiving.listen(client);
    client.on("connection-state-change", (now, _before, reason) => {
      if (this.#isOver()) return;
      if (now === "RECONNECTING") this.#become("reconnecting", troubleOfEnd("NETWORK_ERROR"));
      if (now === "CONNECTED" && this.#state === "reconnecting") this.#become("connected");
      // An expired token is answered by its own event, a failed join by its promise.
      const isOurs = reason === "LEAVE" || reason === "TOKEN_EXPIRE" || reason === "FALLBACK";
      if (now === "DISCONNECTED" && !isOurs && this.#state !== "connecting") this.#lost(client, reason);
    });
    client.on("token-privilege-will-expire", () => void this.#renew(client));
    client.on("token-privilege-did-expire", () => void this.#comeBack(client, true));
    client.on("network-quality", (measured) => {
      const quality = qualityOf(measured);
      if (quality.level === this.#quality) return;
      this.#quality = quality.level;
      this.#emitter.tell("quality", { quality });
    });
  }

  #lost(client: AgoraClient, reason: string | undefined): void {
    const trouble = troubleOfEnd(reason);
    if (trouble.retry) void this.#comeBack(client, false);
    else this.#end(trouble);
  }

  /** Half a minute before the token ends: a new one is given to the running connection. */
  #renew(client: AgoraClient): Promise<void> {
    this.#renewing ??= (async () => {
      for (let tries = 0; !this.#isOver() && this.#options.renew; tries += 1) {
        try {
          this.#credentials = await this.#options.renew();
          if (!this.#isOver()) await client.renewToken(this.#credentials.token);
          return;
        } catch (error) {
          if (isFinal(error)) return this.#end(error);
          await pause(tries);
        }
      }
    })().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  /** The connection has ended although the call has not: it is joined again until that works or is refused for good. */
  async #comeBack(client: AgoraClient, isExpired: boolean): Promise<void> {
    if (this.#isOver() || this.#isComingBack) return;
    this.#isComingBack = true;
    this.#sending.disconnect();
    this.#become("reconnecting", troubleOfEnd(undefined));
    let needsToken = isExpired;
    try {
      for (let tries = 0; !this.#isOver(); tries += 1) {
        try {
          if (needsToken && this.#options.renew) this.#credentials = await this.#options.renew();
          await throughTheDoor(async () => {
            if (this.#isOver()) return;
            if (client.connectionState === "DISCONNECTED") await this.#connect(client);
          });
          return;
        } catch (error) {
          if (isFinal(error)) return this.#end(error);
          const trouble = troubleOfJoin(error);
          if (!trouble.retry) return this.#end(trouble);
          needsToken ||= trouble.code === "token_expired" || trouble.code === "join_refused";
          await pause(tries);
        }
      }
    } finally {
      this.#isComingBack = false;
    }
  }

  #isComingBack = false;

  readonly #onAutoplayFailed = (): void => this.#emitter.tell("sound_blocked", {});

  readonly #onPageHide = (): void => this.#end(undefined);

  #current(): CallCredentials {
    if (!this.#credentials) throw new Error("there are no credentials before join");
    return this.#credentials;
  }

  #isOver(): boolean {
    return this.#state === "closed";
  }

  #end(trouble: CallTrouble | undefined): void {
    if (this.#isOver()) return;
    this.#trouble = trouble;
    const client = this.#client;
    this.#sending.closeAll();
    this.#receiving.stop();
    this.#sdk?.off("autoplay-failed", this.#onAutoplayFailed);
    globalThis.removeEventListener("pagehide", this.#onPageHide);
    if (client) {
      client.removeAllListeners();
      // A client that is still joining leaves when it is in (see #connect).
      if (client.connectionState !== "CONNECTING") this.#abandon(client);
    }
    this.#become("closed", trouble);
  }

  /** Leaves, and keeps everybody else at the door until that is done. Nobody is left who could act on a failure. */
  #abandon(client: AgoraClient): void {
    const left = client.leave().catch(() => undefined);
    doors = Promise.all([doors, left]);
  }

  #become(state: ConnectionState, trouble?: CallTrouble): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#emitter.tell("connection", trouble ? { state, trouble } : { state });
  }

  #inRow<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#row.then(work, work);
    this.#row = done.catch(() => undefined);
    return done;
  }
}

/** call-token has said no for good: the call is over, or it is not ours any more. */
function isFinal(error: unknown): error is CallRefusal {
  return error instanceof CallRefusal && !error.retry;
}

function pause(tries: number): Promise<void> {
  const ms = againAfterMs[Math.min(tries, againAfterMs.length - 1)] ?? 0;
  return new Promise((resolve) => setTimeout(resolve, ms));
}
