import { closeDevice, openDevice } from "../devices.ts";
import { type MediaKind, mediaKinds } from "../transport.ts";
import type { AgoraClient, AgoraSdk, LocalTrack } from "./sdk.ts";

interface Sent {
  track: MediaStreamTrack;
  local: LocalTrack;
  muted: boolean;
  /** Opened here, so closed here. */
  isOurs: boolean;
}

/** Above what a picture of this kind needs, kbit/s. */
const mostKbits = { camera: 1_500, screen: 2_000 };

/**
 * What this person sends. An Agora client carries one picture: a shared screen takes the camera's place, and gives it back when it
 * ends. Calls must not overlap; the transport puts them in a row.
 */
export class Sending {
  readonly #sent = new Map<MediaKind, Sent>();
  readonly #published = new Map<"sound" | "picture", LocalTrack>();
  #client: AgoraClient | undefined;
  readonly #onEnded: (kind: MediaKind) => void;

  /** `onEnded` hears of tracks that ended by themselves: a pulled cable, the browser's own button for a shared screen. */
  constructor(onEnded: (kind: MediaKind) => void) {
    this.#onEnded = onEnded;
  }

  /** Sends everything over this client from now on. */
  async connect(client: AgoraClient): Promise<void> {
    this.#client = client;
    this.#published.clear();
    await this.#publish();
  }

  disconnect(): void {
    this.#client = undefined;
    this.#published.clear();
  }

  async add(
    sdk: AgoraSdk,
    kind: MediaKind,
    source: MediaStreamTrack | { deviceId: string } | undefined,
    isOver: () => boolean,
  ): Promise<MediaStreamTrack> {
    const isOurs = !(source instanceof MediaStreamTrack);
    const track = source instanceof MediaStreamTrack ? source : await openDevice(kind, source?.deviceId);
    if (isOver()) {
      if (isOurs) closeDevice(track);
      throw new Error("the call is over");
    }
    const local = localTrack(sdk, kind, track);
    const before = this.#sent.get(kind);
    this.#sent.set(kind, { track, local, muted: false, isOurs });
    track.addEventListener("ended", () => {
      if (this.#sent.get(kind)?.track === track) this.#onEnded(kind);
    });
    await this.#publish();
    if (before) release(before);
    return track;
  }

  async remove(kind: MediaKind): Promise<void> {
    const sent = this.#sent.get(kind);
    if (!sent) return;
    this.#sent.delete(kind);
    await this.#publish();
    release(sent);
  }

  async mute(kind: MediaKind, muted: boolean): Promise<void> {
    const sent = this.#sent.get(kind);
    if (!sent || sent.muted === muted) return;
    sent.muted = muted;
    await sent.local.setMuted(muted);
  }

  /** Loudness of one's own microphone, 0 to 1; undefined where it is not sent. */
  level(): number | undefined {
    const sent = this.#sent.get("microphone");
    if (!sent || !("getVolumeLevel" in sent.local)) return undefined;
    return sent.muted ? 0 : sent.local.getVolumeLevel();
  }

  /** Gives every device back at once; safe while the page goes away. */
  closeAll(): void {
    for (const kind of mediaKinds) {
      const sent = this.#sent.get(kind);
      this.#sent.delete(kind);
      if (sent) release(sent);
    }
    this.disconnect();
  }

  /** Brings what is published in line with what is sent. The old picture must go before the new one may come. */
  async #publish(): Promise<void> {
    const client = this.#client;
    if (!client) return;
    const wanted = {
      sound: this.#sent.get("microphone")?.local,
      picture: (this.#sent.get("screen") ?? this.#sent.get("camera"))?.local,
    };
    for (const place of ["sound", "picture"] as const) {
      const old = this.#published.get(place);
      const next = wanted[place];
      if (old === next) continue;
      if (old) {
        this.#published.delete(place);
        await client.unpublish(old);
      }
      if (next && this.#client === client) {
        await client.publish(next);
        this.#published.set(place, next);
      }
    }
  }
}

function localTrack(sdk: AgoraSdk, kind: MediaKind, track: MediaStreamTrack): LocalTrack {
  // Closing the SDK's track stops what it was made of: a copy, because the page may show the original itself.
  const mediaStreamTrack = track.clone();
  if (kind === "microphone") return sdk.createCustomAudioTrack({ mediaStreamTrack });
  return sdk.createCustomVideoTrack({
    mediaStreamTrack,
    bitrateMax: mostKbits[kind],
    // A call looks better with fewer pictures than with fewer pixels, and a recorder need not follow changing sizes.
    optimizationMode: "detail",
  });
}

function release({ track, local, isOurs }: Sent): void {
  local.close();
  if (isOurs) closeDevice(track);
}
