import {
  MediaStreamTrack,
  ReceiverEstimatedMaxBitrate,
  RTCPeerConnection,
  type RTCRtpTransceiver,
  RtcpPayloadSpecificFeedback,
  RtcpSrPacket,
  type RtpPacket,
} from "werift";
import {
  hasForeignAddress,
  onlyLoopback,
  placeOrder,
  slotCount,
} from "../../../web/src/calls/local/messages.ts";
import type { MediaKind } from "../../../web/src/calls/transport.ts";
import { loopbackConfig } from "./connection-config.ts";
import { ntpEpochSeconds, withTrueTime } from "./true-time.ts";

/** A sender's own statement: this RTP time was this wall time (UTC ms). */
export interface SenderReport {
  rtpTime: number;
  wallMs: number;
}

export interface ConnectionEvents {
  packet(kind: MediaKind, packet: RtpPacket): void;
  report(kind: MediaKind, report: SenderReport): void;
  /** Whoever watches this slot lost the picture and needs a whole one. */
  keyFrameWanted(slot: number, kind: MediaKind): void;
  connected(): void;
  failed(): void;
}

/** A description that cannot be taken; `code` is what the page is told. */
export class DescriptionRefused extends Error {
  readonly code: "foreign_address" | "description_invalid";

  constructor(code: DescriptionRefused["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** Upper limit that the sender is told each second, bit/s: enough for a camera at 720p and a screen. */
const bitrateLimit = 3_000_000;
const bitrateEveryMs = 1_000;
/** A key frame costs as much as a second of pictures: asked for at most this often. */
const keyFrameEveryMs = 500;

/**
 * The media of one page: one connection with a place for each thing it may send and for each thing of each other person, fixed
 * from the beginning, so that nothing is ever negotiated again.
 */
export class PeerConnection {
  readonly #events: ConnectionEvents;
  readonly #connection: RTCPeerConnection;
  readonly #up: Record<MediaKind, RTCRtpTransceiver>;
  readonly #down: Record<MediaKind, RTCRtpTransceiver>[];
  readonly #askedAt = new Map<MediaKind, number>();
  readonly #ssrcs = new Map<MediaKind, number>();
  #bitrateTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** `lossPercent` of what the page sends is thrown away on arrival: a fault switch. */
  constructor(events: ConnectionEvents, lossPercent: number) {
    this.#events = events;
    this.#connection = new RTCPeerConnection({
      ...loopbackConfig(),
      // The library reads this as the share that is kept.
      debug: lossPercent > 0 ? { inboundPacketLoss: 100 - lossPercent } : {},
    });
    const kindOf = (place: MediaKind) => (place === "microphone" ? "audio" : "video");
    const places = (make: (place: MediaKind) => RTCRtpTransceiver) => ({
      microphone: make("microphone"),
      camera: make("camera"),
      screen: make("screen"),
    });
    this.#up = places((place) => this.#connection.addTransceiver(kindOf(place), { direction: "recvonly" }));
    this.#down = Array.from({ length: slotCount }, () =>
      places((place) =>
        this.#connection.addTransceiver(new MediaStreamTrack({ kind: kindOf(place) }), {
          direction: "sendonly",
        }),
      ),
    );
    for (const place of placeOrder) {
      this.#up[place].onTrack.subscribe((track) => {
        track.onReceiveRtp.subscribe((packet) => {
          this.#ssrcs.set(place, packet.header.ssrc);
          this.#events.packet(place, packet);
        });
      });
      this.#up[place].receiver.onRtcp.subscribe((report) => {
        if (!(report instanceof RtcpSrPacket)) return;
        const { ntpTimestamp, rtpTimestamp } = report.senderInfo;
        const seconds = Number(ntpTimestamp >> 32n) - ntpEpochSeconds;
        const wallMs = (seconds + Number(ntpTimestamp & 0xffff_ffffn) / 2 ** 32) * 1000;
        this.#events.report(place, { rtpTime: rtpTimestamp, wallMs });
      });
      this.#down.forEach((slot, index) => {
        withTrueTime(slot[place].sender);
        slot[place].sender.onPictureLossIndication.subscribe(() => this.#events.keyFrameWanted(index, place));
      });
    }
    this.#connection.connectionStateChange.subscribe((state) => {
      if (state === "connected") {
        this.#bitrateTimer ??= setInterval(() => this.#tellBitrate(), bitrateEveryMs);
        this.#events.connected();
      }
      if (state === "failed" || state === "closed") this.#events.failed();
    });
  }

  /** The description to send to the page, complete, with this machine's loopback address only. */
  async offer(): Promise<string> {
    await this.#connection.setLocalDescription(await this.#connection.createOffer());
    const local = this.#connection.localDescription;
    if (!local) throw new Error("the media library gave no description");
    return onlyLoopback(local.sdp).sdp;
  }

  /** Takes the page's description. Throws DescriptionRefused. */
  async accept(sdp: string): Promise<void> {
    if (hasForeignAddress(sdp)) {
      throw new DescriptionRefused("foreign_address", "The description names an address beyond 127.0.0.1.");
    }
    // The library takes any text, and would wait for ever for what is not in it.
    const answered = sdp.match(/^m=/gm)?.length ?? 0;
    const isComplete = /^a=ice-ufrag:/m.test(sdp) && /^a=fingerprint:/m.test(sdp);
    if (answered !== placeOrder.length * (slotCount + 1) || !isComplete) {
      throw new DescriptionRefused("description_invalid", "The description does not answer the one given.");
    }
    try {
      await this.#connection.setRemoteDescription({ type: "answer", sdp });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new DescriptionRefused("description_invalid", `The description cannot be used: ${why}`);
    }
  }

  /** Sends one packet of another person's; before the connection is up it is dropped. */
  forward(slot: number, kind: MediaKind, packet: RtpPacket): void {
    const sender = this.#down[slot]?.[kind].sender;
    if (!sender) return;
    const copy = packet.clone();
    // The sender's own marks (its media line) would be read as ours.
    copy.header.extensions = [];
    copy.header.extension = false;
    // What cannot be sent is a lost packet, which the receiver asks for again.
    sender.sendRtp(copy).catch(() => undefined);
  }

  /** From now on this slot carries somebody else's media: the numbering goes on where it was. */
  changeSource(slot: number): void {
    for (const place of placeOrder) {
      this.#down[slot]?.[place].sender.replaceRTP({ sequenceNumber: 0, timestamp: 0 } as never);
    }
  }

  /** Asks the page for a whole picture. */
  askForKeyFrame(kind: MediaKind): void {
    const ssrc = this.#ssrcs.get(kind);
    const now = performance.now();
    if (kind === "microphone" || ssrc === undefined) return;
    if (now - (this.#askedAt.get(kind) ?? Number.NEGATIVE_INFINITY) < keyFrameEveryMs) return;
    this.#askedAt.set(kind, now);
    this.#up[kind].receiver.sendRtcpPLI(ssrc).catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#bitrateTimer);
    await this.#connection.close();
  }

  #tellBitrate(): void {
    const { receiver } = this.#up.camera;
    const ssrcs = [...this.#ssrcs].filter(([kind]) => kind !== "microphone").map(([, ssrc]) => ssrc);
    if (ssrcs.length === 0 || this.#isClosed) return;
    const exponent = Math.max(0, Math.ceil(Math.log2(bitrateLimit)) - 17);
    const feedback = new ReceiverEstimatedMaxBitrate({
      senderSsrc: receiver.rtcpSsrc,
      mediaSsrc: 0,
      ssrcNum: ssrcs.length,
      ssrcFeedbacks: ssrcs,
      brExp: exponent,
      brMantissa: Math.floor(bitrateLimit / 2 ** exponent),
    });
    this.#up.camera.dtlsTransport
      .sendRtcp([new RtcpPayloadSpecificFeedback({ feedback })])
      .catch(() => undefined);
  }
}
