import type { Levels, MediaKind } from "../transport.ts";
import { onlyLoopback, placeOrder, slotCount } from "./messages.ts";

/** Above what a picture of this kind needs, bit/s: the browser chooses below it. */
const mostBitrate: Record<MediaKind, number> = {
  microphone: 64_000,
  camera: 1_500_000,
  screen: 2_000_000,
};
/** Longest wait for the browser's own candidates, ms; those of this machine come at once. */
const gatherMs = 2_000;

type Places = Record<MediaKind, RTCRtpTransceiver>;

/** The media of one connection: three places to send, three per slot to receive, fixed by the server's description. */
export class Media {
  readonly #connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  #up: Places | undefined;
  #down: Places[] = [];

  constructor(onState: (state: RTCPeerConnectionState) => void) {
    this.#connection.addEventListener("connectionstatechange", () =>
      onState(this.#connection.connectionState),
    );
  }

  /** Takes the server's description and gives ours, complete, with this machine's loopback address only. */
  async answer(sdp: string): Promise<string> {
    await this.#connection.setRemoteDescription({ type: "offer", sdp });
    const transceivers = this.#connection.getTransceivers();
    const placesFrom = (first: number): Places => {
      const [microphone, camera, screen] = transceivers.slice(first, first + placeOrder.length);
      if (!microphone || !camera || !screen) throw new Error("the description lacks places for media");
      return { microphone, camera, screen };
    };
    this.#up = placesFrom(0);
    this.#down = Array.from({ length: slotCount }, (_, slot) => placesFrom((slot + 1) * placeOrder.length));
    for (const place of placeOrder) this.#up[place].direction = "sendonly";
    await this.#connection.setLocalDescription();
    await this.#gathered();
    return onlyLoopback(this.#connection.localDescription?.sdp ?? "").sdp;
  }

  /** Sends this track, or nothing. */
  async send(kind: MediaKind, track: MediaStreamTrack | null): Promise<void> {
    const sender = this.#up?.[kind].sender;
    if (!sender) return;
    await sender.replaceTrack(track);
    if (track === null) return;
    const parameters = sender.getParameters();
    for (const encoding of parameters.encodings) {
      encoding.maxBitrate = mostBitrate[kind];
      if (kind === "camera") encoding.maxFramerate = 30;
    }
    // A call looks better with fewer pictures than with fewer pixels, and a recorder need not follow changing sizes.
    if (kind !== "microphone") parameters.degradationPreference = "maintain-resolution";
    await sender.setParameters(parameters);
  }

  trackIn(slot: number, kind: MediaKind): MediaStreamTrack | undefined {
    return this.#down[slot]?.[kind].receiver.track;
  }

  /** Loudness by slot, 0 to 1, and one's own as slot -1. */
  async levels(): Promise<Levels> {
    const levels = new Map<number, number>();
    for (const report of (await this.#connection.getStats()).values()) {
      const isOwn = report.type === "media-source" && report.kind === "audio";
      const isTheirs = report.type === "inbound-rtp" && report.kind === "audio";
      if (!isOwn && !isTheirs) continue;
      const slot = isOwn
        ? -1
        : this.#down.findIndex(({ microphone }) => microphone.receiver.track.id === report.trackIdentifier);
      if (slot >= -1 && (isOwn || slot >= 0)) levels.set(slot, Number(report.audioLevel ?? 0));
    }
    return levels;
  }

  close(): void {
    this.#connection.close();
  }

  async #gathered(): Promise<void> {
    if (this.#connection.iceGatheringState === "complete") return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, gatherMs);
      this.#connection.addEventListener("icegatheringstatechange", () => {
        if (this.#connection.iceGatheringState !== "complete") return;
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
