/** What a person can send into a call; one of each. */
export type MediaKind = "microphone" | "camera" | "screen";
export const mediaKinds: readonly MediaKind[] = ["microphone", "camera", "screen"];

/** `muted`: published, but silent or dark for now. */
export type PublicationState = "off" | "muted" | "on";
export type Publications = Record<MediaKind, PublicationState>;

/** The answer of the function call-token: everything it takes to join one call as one person. */
export interface CallCredentials {
  transport: "agora" | "local";
  /** Address of the media server; only where `transport` is `local`. */
  url?: string;
  app_id: string;
  channel: string;
  uid: number;
  token: string;
  /** ISO 8601. */
  expires_at: string;
  mode: "live" | "rtc";
}

/** Somebody else in the call. */
export interface Peer {
  uid: number;
  /** The name the person gave to the call; may be empty. */
  name: string;
  publications: Publications;
}

export interface Device {
  kind: "microphone" | "camera";
  deviceId: string;
  label: string;
}

export type ConnectionState = "idle" | "connecting" | "connected" | "reconnecting" | "closed";

/** Why a call ended or a connection was refused. `retry` is false where coming back with the same credentials is pointless. */
export interface CallTrouble {
  code: string;
  message: string;
  retry: boolean;
}

/** What a call tells its page. Each event is told after the state that it speaks of can be read from the transport. */
export interface CallEvents {
  connection: { state: ConnectionState; trouble?: CallTrouble };
  peer_joined: { peer: Peer };
  peer_left: { peer: Peer };
  /** Media of a peer can be shown or heard from now on; after a reconnect it is told again with the new track. */
  track: { peer: Peer; kind: MediaKind; track: MediaStreamTrack };
  track_ended: { peer: Peer; kind: MediaKind };
  muted: { peer: Peer; kind: MediaKind; muted: boolean };
  /** The browser will not play sound before the person touches the page; then `resumeSound` helps. */
  sound_blocked: Record<never, never>;
  /** Told when it changes; a transport that cannot measure never tells it. */
  quality: { quality: CallQuality };
}

/** How well media flow in both directions, and which direction is the worse one. */
export interface CallQuality {
  level: "good" | "poor" | "bad";
  direction: "sending" | "receiving";
}

export interface JoinOptions {
  /** Shown to others and on the card of a person without a picture; at most 64 characters. */
  name?: string;
  /** Asked for fresh credentials when the old ones are refused as expired, or are about to be. */
  renew?: () => Promise<CallCredentials>;
}

/** How loud everybody is, 0 to 1, by uid; one's own number is in it while the microphone is on. */
export type Levels = ReadonlyMap<number, number>;

/**
 * One person's way into one call, whatever carries the media. A transport is made for one call and thrown away after it: after
 * `leave` it cannot join again. Nothing here knows of rooms, recordings or people beyond their numbers and names.
 */
export interface CallTransport {
  readonly state: ConnectionState;
  readonly peers: readonly Peer[];
  /** True where the transport plays the sound of peers itself; elsewhere the page plays their tracks. */
  readonly playsSound?: boolean;
  /** True where a shared screen takes the place of the camera, for oneself and for the others. */
  readonly screenReplacesCamera?: boolean;
  /**
   * Joins the call and resolves once media can flow. Rejects with a CallRefusal where the server refuses, or after 15 s. A connection
   * that is lost later is made again without being asked; what was published is published again.
   */
  join(credentials: CallCredentials, options?: JoinOptions): Promise<void>;
  /**
   * Sends this track (or that device, or the default one, or, for `screen`, what the person picks) and resolves with the
   * track that is sent. May be called before `join`. Publishing a kind again replaces its track. Rejects as getUserMedia does.
   */
  publish(kind: MediaKind, source?: MediaStreamTrack | { deviceId: string }): Promise<MediaStreamTrack>;
  unpublish(kind: MediaKind): Promise<void>;
  /** Silences or darkens what is published, without giving the device back. No effect on what is not published. */
  mute(kind: MediaKind, muted: boolean): Promise<void>;
  /** Cameras and microphones of this machine; labels are empty until the person has allowed one. */
  devices(): Promise<Device[]>;
  levels(): Promise<Levels>;
  /** The track of a peer as it is now. */
  trackOf(uid: number, kind: MediaKind): MediaStreamTrack | undefined;
  /** To be called from a click, after `sound_blocked`. */
  resumeSound?(): Promise<void>;
  /** Leaves for good: others see it at once. Devices that `publish` opened are given back. */
  leave(): Promise<void>;
  /** Gives the function that ends the subscription. */
  on<Name extends keyof CallEvents>(name: Name, listener: (event: CallEvents[Name]) => void): () => void;
}

/** A join that was refused. */
export class CallRefusal extends Error implements CallTrouble {
  readonly code: string;
  readonly retry: boolean;

  constructor(trouble: CallTrouble) {
    super(trouble.message);
    this.name = "CallRefusal";
    this.code = trouble.code;
    this.retry = trouble.retry;
  }
}
