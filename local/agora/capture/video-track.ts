import { AV_CODEC_FLAG_LOW_DELAY, AV_CODEC_ID_H264 } from "node-av/constants";
import { Codec, type CodecContext, Frame, Packet } from "node-av/lib";
import { clockRates } from "../calls/rates.ts";
import { openCodec } from "../media/codecs.ts";
import { type AccessUnit, AccessUnits } from "./access-units.ts";
import type { MediaItem } from "./messages.ts";
import { PacketOrder } from "./packet-order.ts";
import { RtpClock, type RtpMoment } from "./rtp-clock.ts";

type MediaPacket = Extract<MediaItem, { type: "packet" }>;

/** A missing packet is asked for again at once; what has not come after this share of the delay is given up. */
const giveUpShare = 0.5;
/** A picture older than this is not shown any more: the sender has stopped, ms. Agora shows a placeholder after 3.5 s. */
const staleMs = 3_500;
/** Key frames are asked for at most this often, ms. */
const askEveryMs = 500;
/** More than any delay holds: a recorder that stands still must not fill the memory. */
const mostWaiting = 900;
/** Times of pictures that never became whole are forgotten beyond this many. */
const mostMoments = 512;

/** One person's camera or screen: packets go in as they arrive, pictures come out by the time of their capture. */
export class VideoTrack {
  readonly #askForKey: () => void;
  readonly #clock = new RtpClock(clockRates.camera);
  readonly #order: PacketOrder<MediaPacket>;
  readonly #units = new AccessUnits();
  readonly #moments = new Map<number, RtpMoment>();
  readonly #context: CodecContext;
  readonly #packet = new Packet();
  #shown = new Frame();
  #spare = new Frame();
  #waiting: { unit: AccessUnit; moment: RtpMoment }[] = [];
  #shownAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  #isNew = false;

  /** Throws when the media library has no H.264 decoder. */
  constructor(delayMs: number, askForKey: () => void) {
    this.#askForKey = askForKey;
    this.#order = new PacketOrder(delayMs * giveUpShare);
    this.#context = openCodec(Codec.findDecoder(AV_CODEC_ID_H264), "H.264 decoder", (context) => {
      // Each picture is to come out before the next one goes in.
      context.threadCount = 1;
      context.setFlags(AV_CODEC_FLAG_LOW_DELAY);
    });
    this.#packet.alloc();
    this.#shown.alloc();
    this.#spare.alloc();
  }

  push(packet: MediaPacket): void {
    this.#moments.set(packet.rtpTime, this.#clock.arrived(packet.rtpTime, packet.at));
    this.#order.push(packet, packet.at);
    this.#collect(packet.at);
  }

  report(rtpTime: number, capturedAt: number, at: number): void {
    this.#clock.reported(rtpTime, capturedAt, at);
  }

  /**
   * The picture to be seen at a moment, or null; `isNew` when it differs from the one given before. Everything that arrived before
   * `heardUntil` was pushed.
   */
  at(moment: number, heardUntil: number): { frame: Frame; isNew: boolean } | null {
    this.#collect(heardUntil);
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      const capturedAt = this.#clock.capturedAt(next.moment);
      if (capturedAt > moment) break;
      this.#waiting.shift();
      this.#decode(next.unit, capturedAt);
    }
    if (moment - this.#shownAt > staleMs) return null;
    const isNew = this.#isNew;
    this.#isNew = false;
    return { frame: this.#shown, isNew };
  }

  close(): void {
    this.#packet.free();
    this.#shown.free();
    this.#spare.free();
    this.#context.freeContext();
  }

  #collect(heardUntil: number): void {
    for (const { packet, followsGap } of this.#order.take(heardUntil)) {
      if (followsGap) this.#units.gap();
      const payload = Buffer.from(packet.payload.buffer, packet.payload.byteOffset, packet.payload.length);
      const unit = this.#units.push(payload, packet.rtpTime, packet.marker);
      if (!unit) continue;
      const moment = this.#moments.get(unit.rtpTime) ?? this.#clock.arrived(unit.rtpTime, packet.at);
      this.#moments.delete(unit.rtpTime);
      this.#waiting.push({ unit, moment });
    }
    if (this.#moments.size > mostMoments) {
      for (const rtpTime of [...this.#moments.keys()].slice(0, mostMoments / 2))
        this.#moments.delete(rtpTime);
    }
    if (this.#waiting.length > mostWaiting) {
      this.#waiting = [];
      this.#units.gap();
    }
    if (this.#units.needsKey && heardUntil - this.#askedAt > askEveryMs) {
      this.#askedAt = heardUntil;
      this.#askForKey();
    }
  }

  #decode(unit: AccessUnit, capturedAt: number): void {
    this.#packet.data = unit.data;
    this.#packet.pts = BigInt(Math.round(capturedAt));
    const sent = this.#context.sendPacketSync(this.#packet);
    this.#packet.unref();
    if (sent < 0) {
      this.#units.gap();
      return;
    }
    while (this.#context.receiveFrameSync(this.#spare) >= 0) {
      [this.#shown, this.#spare] = [this.#spare, this.#shown];
      this.#spare.unref();
      this.#shownAt = capturedAt;
      this.#isNew = true;
    }
  }
}
