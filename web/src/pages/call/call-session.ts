import { closeDevice, openDevice } from "../../calls/devices.ts";
import {
  type CallCredentials,
  type CallQuality,
  CallRefusal,
  type CallTransport,
  type CallTrouble,
  type ConnectionState,
  type Levels,
  type MediaKind,
  mediaKinds,
  type Peer,
} from "../../calls/transport.ts";

export type DeviceKind = "camera" | "microphone";

/** Somebody else, with what is shown and heard of them. */
export interface RemotePerson {
  uid: number;
  name: string;
  isMuted: boolean;
  camera: MediaStreamTrack | undefined;
  screen: MediaStreamTrack | undefined;
  sound: MediaStreamTrack | undefined;
}

/** One's own part in a call. */
export interface OwnMedia {
  camera: MediaStreamTrack | undefined;
  screen: MediaStreamTrack | undefined;
  isMicrophoneOn: boolean;
}

export interface CallView {
  state: ConnectionState;
  transport: CallCredentials["transport"] | undefined;
  uid: number | undefined;
  trouble: CallTrouble | undefined;
  people: readonly RemotePerson[];
  own: OwnMedia;
  /** Worst that is known of the connection; undefined while it is good. */
  quality: CallQuality | undefined;
  isSoundBlocked: boolean;
  /** The transport plays the sound of the others itself. */
  playsSound: boolean;
  screenReplacesCamera: boolean;
  /** Devices that are being switched at the moment. */
  switching: ReadonlySet<MediaKind>;
}

export interface CallSessionDeps {
  /** Credentials for this call; asked again when they end. Throws what joinings are refused with. */
  askToJoin(): Promise<CallCredentials>;
  openTransport(credentials: CallCredentials): CallTransport;
  open?: typeof openDevice;
}

const nothingSent: OwnMedia = { camera: undefined, screen: undefined, isMicrophoneOn: false };

/**
 * One person's stay in one call: the transport, the devices, and what a page shows of both. Lives outside of React, so that no
 * component's life ends a call; made for one stay and thrown away after it. It owns the tracks that it sends.
 */
export class CallSession {
  readonly #deps: CallSessionDeps;
  readonly #listeners = new Set<() => void>();
  readonly #own = new Map<MediaKind, MediaStreamTrack>();
  readonly #ends: (() => void)[] = [];
  #transport: CallTransport | undefined;
  #isMuted = false;
  #isOver = false;
  #view: CallView = {
    state: "idle",
    transport: undefined,
    uid: undefined,
    trouble: undefined,
    people: [],
    own: nothingSent,
    quality: undefined,
    isSoundBlocked: false,
    playsSound: false,
    screenReplacesCamera: false,
    switching: new Set(),
  };

  constructor(deps: CallSessionDeps) {
    this.#deps = deps;
  }

  readonly view = (): CallView => this.#view;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Joins with the tracks of the preview, which are ours from here on. Rejects as askToJoin or the transport does. */
  async join(
    name: string,
    tracks: { camera?: MediaStreamTrack; microphone?: MediaStreamTrack },
  ): Promise<void> {
    for (const kind of ["camera", "microphone"] as const) {
      const track = tracks[kind];
      if (track) this.#own.set(kind, track);
    }
    this.#change({ state: "connecting", own: this.#ownMedia() });
    try {
      const credentials = await this.#deps.askToJoin();
      if (this.#isOver) return;
      const transport = this.#deps.openTransport(credentials);
      this.#transport = transport;
      this.#follow(transport);
      this.#change({
        transport: credentials.transport,
        uid: credentials.uid,
        playsSound: transport.playsSound === true,
        screenReplacesCamera: transport.screenReplacesCamera === true,
      });
      for (const [kind, track] of this.#own) await transport.publish(kind, track);
      await transport.join(credentials, { name: name.slice(0, 64), renew: () => this.#renew() });
      this.#change({ state: transport.state });
    } catch (error) {
      this.#finish(undefined);
      throw error;
    }
  }

  /** Rejects as getUserMedia does where the microphone has to be opened. */
  async setMicrophone(isOn: boolean, deviceId?: string): Promise<void> {
    if (isOn && !this.#own.has("microphone")) await this.switchDevice("microphone", deviceId);
    await this.#switch("microphone", async () => {
      this.#isMuted = !isOn;
      await this.#transport?.mute("microphone", !isOn);
    });
  }

  /** Off gives the camera back, so that its light goes out. Rejects as getUserMedia does. */
  async setCamera(isOn: boolean, deviceId?: string): Promise<void> {
    if (isOn) return this.switchDevice("camera", deviceId);
    await this.#stopSending("camera");
  }

  /** Sends from this device, or the default one. Rejects as getUserMedia does; then the old one goes on. */
  async switchDevice(kind: DeviceKind, deviceId?: string): Promise<void> {
    await this.#switch(kind, async () => {
      const track = await this.#open(kind, deviceId);
      await this.#send(kind, track);
      if (kind === "microphone" && this.#isMuted) await this.#transport?.mute("microphone", true);
    });
  }

  /** Asks which screen to share. Rejects with NotAllowedError where the person changes their mind. */
  async shareScreen(): Promise<void> {
    await this.#switch("screen", async () => this.#send("screen", await this.#open("screen")));
  }

  stopSharing(): Promise<void> {
    return this.#stopSending("screen");
  }

  async levels(): Promise<Levels> {
    return (await this.#transport?.levels()) ?? new Map();
  }

  /** The browser refused to play; told by the page where it plays the sound. */
  soundWasBlocked(): void {
    this.#change({ isSoundBlocked: true });
  }

  /** To be called from a click. */
  async hear(): Promise<void> {
    this.#change({ isSoundBlocked: false });
    await this.#transport?.resumeSound?.();
  }

  /** Leaves for good and gives every device back. */
  async leave(): Promise<void> {
    const transport = this.#transport;
    this.#finish(undefined);
    await transport?.leave();
  }

  #follow(transport: CallTransport): void {
    const people = () =>
      this.#change({ people: transport.peers.map((peer) => remotePerson(transport, peer)) });
    this.#ends.push(
      transport.on("connection", ({ state, trouble }) => {
        if (state === "closed") this.#finish(trouble);
        else this.#change({ state, trouble });
      }),
      transport.on("peer_joined", people),
      transport.on("peer_left", people),
      transport.on("track", people),
      transport.on("track_ended", people),
      transport.on("muted", people),
      transport.on("sound_blocked", () => this.soundWasBlocked()),
      transport.on("quality", ({ quality }) =>
        this.#change({ quality: quality.level === "good" ? undefined : quality }),
      ),
    );
    if (typeof window === "undefined") return;
    const onPageHide = () => void this.leave();
    window.addEventListener("pagehide", onPageHide);
    this.#ends.push(() => window.removeEventListener("pagehide", onPageHide));
  }

  async #renew(): Promise<CallCredentials> {
    try {
      return await this.#deps.askToJoin();
    } catch (error) {
      // What call-token refuses for good, no second question helps.
      const code = error instanceof Error && "code" in error ? String(error.code) : "";
      if (code !== "call_ended" && code !== "call_not_found") throw error;
      const trouble = { code, message: error instanceof Error ? error.message : code, retry: false };
      void this.#transport?.leave();
      this.#finish(trouble);
      throw new CallRefusal(trouble);
    }
  }

  #open(kind: MediaKind, deviceId?: string): Promise<MediaStreamTrack> {
    return (this.#deps.open ?? openDevice)(kind, deviceId);
  }

  async #send(kind: MediaKind, track: MediaStreamTrack): Promise<void> {
    if (this.#isOver) {
      closeDevice(track);
      return;
    }
    const before = this.#own.get(kind);
    this.#own.set(kind, track);
    track.addEventListener("ended", () => {
      if (this.#own.get(kind) === track) void this.#stopSending(kind);
    });
    this.#change({ own: this.#ownMedia() });
    await this.#transport?.publish(kind, track);
    if (before) closeDevice(before);
  }

  async #stopSending(kind: MediaKind): Promise<void> {
    const track = this.#own.get(kind);
    if (!track) return;
    this.#own.delete(kind);
    closeDevice(track);
    this.#change({ own: this.#ownMedia() });
    await this.#transport?.unpublish(kind);
  }

  async #switch(kind: MediaKind, work: () => Promise<void>): Promise<void> {
    if (this.#isOver) return;
    this.#change({ switching: new Set(this.#view.switching).add(kind) });
    try {
      await work();
    } finally {
      const switching = new Set(this.#view.switching);
      switching.delete(kind);
      this.#change({ switching, own: this.#ownMedia() });
    }
  }

  #ownMedia(): OwnMedia {
    return {
      camera: this.#own.get("camera"),
      screen: this.#own.get("screen"),
      isMicrophoneOn: this.#own.has("microphone") && !this.#isMuted,
    };
  }

  #finish(trouble: CallTrouble | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const end of this.#ends.splice(0)) end();
    for (const kind of mediaKinds) {
      const track = this.#own.get(kind);
      if (track) closeDevice(track);
    }
    this.#own.clear();
    this.#change({
      state: "closed",
      trouble,
      people: [],
      own: nothingSent,
      isSoundBlocked: false,
      quality: undefined,
    });
  }

  #change(change: Partial<CallView>): void {
    this.#view = { ...this.#view, ...change };
    for (const listener of [...this.#listeners]) listener();
  }
}

function remotePerson(transport: CallTransport, { uid, name, publications }: Peer): RemotePerson {
  const track = (kind: MediaKind) => (publications[kind] === "on" ? transport.trackOf(uid, kind) : undefined);
  return {
    uid,
    name,
    isMuted: publications.microphone !== "on",
    camera: track("camera"),
    screen: track("screen"),
    sound: track("microphone"),
  };
}
