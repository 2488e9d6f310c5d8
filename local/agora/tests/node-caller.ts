import { setTimeout as pause } from "node:timers/promises";
import { AV_CHANNEL_LAYOUT_MONO, AV_SAMPLE_FMT_FLT, FF_ENCODER_LIBOPUS } from "node-av/constants";
import { Codec, CodecContext, FFmpegError, Frame, Packet, Rational } from "node-av/lib";
import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters, RtpHeader, RtpPacket } from "werift";
import WebSocket from "ws";
import {
  type ClientMessage,
  onlyLoopback,
  type RemotePeer,
  serverMessage,
} from "../../../web/src/calls/local/messages.ts";
import type { CallCredentials, Publications } from "../../../web/src/calls/transport.ts";
import { fields, litFields } from "../../browser/pages/clock-face.ts";
import { withTrueTime } from "../calls/true-time.ts";
import { VideoEncoder, type VideoShape } from "../media/video-encoder.ts";
import { until } from "./stage.ts";

/** What a caller without a browser shows and sounds. */
export interface CallerClock {
  /** Chroma of the ground. */
  u: number;
  v: number;
  /** Hertz. */
  pitch: number;
  beepAtMs: number;
}

export const callerSize = { width: 320, height: 180 };
const callerShape: VideoShape = { ...callerSize, fps: 10, bitrate: 300 };
const mtu = 1_100;
const soundSamples = 960;

/**
 * One person in a call, without a browser: sends a clock as H.264 and beeps as Opus, with the time of their making as RTP time. What
 * comes back is not decoded. Costs a tenth of a browser, so that it shows what server and recorder do, not what the machine can.
 */
export class NodeCaller {
  readonly uid: number;
  readonly clock: CallerClock;
  readonly #shape: VideoShape;
  readonly #socket: WebSocket;
  readonly #connection: RTCPeerConnection;
  readonly #camera = new MediaStreamTrack({ kind: "video" });
  readonly #microphone = new MediaStreamTrack({ kind: "audio" });
  readonly #sequences = { camera: 100 * Math.floor(Math.random() * 600), microphone: 65_500 };
  /** When what is being sent was made, UTC ms. */
  readonly #madeAt = { camera: 0, microphone: 0 };
  readonly #ended = new AbortController();
  readonly #answer: (message: ReturnType<typeof serverMessage.parse>) => void;
  publications: Publications = { microphone: "on", camera: "on", screen: "off" };
  refusedWith: string | undefined;
  /** Ends of others' pictures as they arrive: when they were made (UTC ms, without its highest part) and when they came. */
  readonly arrived: { madeAtLow: number; at: number }[] = [];
  /** Who else is in the call, as the server said last. */
  peers: readonly RemotePeer[] = [];
  /** When everything that was sent was made, and when it went out, UTC ms: a starved machine sends late, or not at all. */
  readonly sent: { kind: "camera" | "microphone"; madeAt: number; sentAt: number }[] = [];
  #work: Promise<unknown> = Promise.resolve();

  private constructor(credentials: CallCredentials, clock: CallerClock, shape: VideoShape) {
    const { uid, app_id, channel, token, url } = credentials;
    this.uid = uid;
    this.clock = clock;
    this.#shape = shape;
    this.#connection = new RTCPeerConnection({
      codecs: {
        audio: [
          new RTCRtpCodecParameters({
            mimeType: "audio/opus",
            clockRate: 48_000,
            channels: 2,
            payloadType: 111,
          }),
        ],
        video: [
          new RTCRtpCodecParameters({
            mimeType: "video/H264",
            clockRate: 90_000,
            payloadType: 102,
            rtcpFeedback: [{ type: "nack" }, { type: "nack", parameter: "pli" }, { type: "goog-remb" }],
            parameters: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
          }),
        ],
      },
      iceServers: [],
      iceUseIpv4: false,
      iceUseIpv6: false,
      iceAdditionalHostAddresses: ["127.0.0.1"],
      iceInterfaceAddresses: { udp4: "127.0.0.1" },
      iceUseTcp: false,
      bundlePolicy: "max-bundle",
    });
    const microphone = this.#connection.addTransceiver(this.#microphone, { direction: "sendonly" });
    const camera = this.#connection.addTransceiver(this.#camera, { direction: "sendonly" });
    // What a busy machine sends late was made when it was made.
    withTrueTime(microphone.sender, () => this.#madeAt.microphone);
    withTrueTime(camera.sender, () => this.#madeAt.camera);
    this.#connection.onTrack.subscribe((track) => {
      track.onReceiveRtp.subscribe(({ header }) => {
        if (track.kind === "video" && header.marker) {
          this.arrived.push({ madeAtLow: header.timestamp / 90, at: Date.now() });
        }
      });
    });
    this.#answer = (message) => {
      if (message.type === "refused") this.refusedWith = message.code;
      if (message.type === "joined" || message.type === "peers") this.peers = message.peers;
      if (message.type === "joined") this.#take(message.sdp).catch((error: unknown) => console.error(error));
    };
    this.#socket = new WebSocket(url ?? "");
    this.#socket.on("message", (data) => this.#answer(serverMessage.parse(JSON.parse(String(data)))));
    this.#socket.on("error", () => undefined);
    this.#socket.on("open", () =>
      this.#send({ type: "join", app_id, channel, uid, token, name: `Person ${uid}` }),
    );
  }

  /** Joins and sends; resolves once media flows. */
  static async join(
    credentials: CallCredentials,
    clock: CallerClock,
    shape: VideoShape = callerShape,
  ): Promise<NodeCaller> {
    const caller = new NodeCaller(credentials, clock, shape);
    await until(
      `caller ${credentials.uid}`,
      () => caller.#connection.connectionState === "connected",
      60_000,
    );
    const beat = setInterval(() => caller.#send({ type: "ping" }), 500);
    caller.#ended.signal.addEventListener("abort", () => clearInterval(beat));
    caller.#work = Promise.all([caller.#sendPictures(), caller.#sendSound()]).catch((error: unknown) => {
      if (!caller.#ended.signal.aborted) console.error(error);
    });
    caller.publish({});
    return caller;
  }

  /** Says what is sent from now on; what is not on is not sent. */
  publish(change: Partial<Publications>): void {
    this.publications = { ...this.publications, ...change };
    this.#send({ type: "publications", publications: this.publications });
  }

  /** Leaves; `asDead` without a word, as a tab that crashed. */
  async leave(asDead = false): Promise<void> {
    if (!asDead) this.#send({ type: "leave" });
    this.#ended.abort();
    await this.#work;
    this.#socket.terminate();
    await this.#connection.close();
  }

  #send(message: ClientMessage): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  async #take(sdp: string): Promise<void> {
    await this.#connection.setRemoteDescription({ type: "offer", sdp });
    await this.#connection.setLocalDescription(await this.#connection.createAnswer());
    const local = this.#connection.localDescription?.sdp ?? "";
    this.#send({ type: "answer", sdp: onlyLoopback(local).sdp });
  }

  async #sendPictures(): Promise<void> {
    const { fps } = this.#shape;
    const encoder = await VideoEncoder.open(this.#shape);
    try {
      const begun = performance.now();
      for (let count = 0; !this.#ended.signal.aborted; count++) {
        await pause(Math.max(0, begun + (count * 1000) / fps - performance.now()), undefined, {
          signal: this.#ended.signal,
        });
        if (this.publications.camera !== "on") continue;
        const wallMs = Date.now();
        // A key picture each second: lost ones are made up for without being asked.
        const { data } = await encoder.encode(this.#draw(wallMs), count / fps, count % fps === 0);
        this.#madeAt.camera = wallMs;
        this.#sendPicture(Buffer.from(data), (wallMs * 90) % 2 ** 32);
        this.sent.push({ kind: "camera", madeAt: wallMs, sentAt: Date.now() });
      }
    } finally {
      encoder.close();
    }
  }

  #sendPicture(annexB: Buffer, rtpTime: number): void {
    const payloads = unitsOf(annexB).flatMap(fragmentsOf);
    payloads.forEach((payload, index) => {
      const isLast = index === payloads.length - 1;
      this.#camera.writeRtp(this.#packet("camera", 102, rtpTime, isLast, payload));
    });
  }

  async #sendSound(): Promise<void> {
    const encode = openOpus();
    try {
      let rtpTime = 0;
      let phase = 0;
      const begun = { at: performance.now(), wall: Date.now() };
      for (let count = 0; !this.#ended.signal.aborted; count++) {
        const due = (count * soundSamples) / 48;
        await pause(Math.max(0, begun.at + due - performance.now()), undefined, {
          signal: this.#ended.signal,
        });
        const samples = new Float32Array(soundSamples);
        samples.forEach((_, index) => {
          phase += (2 * Math.PI * this.clock.pitch) / 48_000;
          const wall = begun.wall + due + index / 48;
          if ((wall - this.clock.beepAtMs) % 1000 < 100) samples[index] = 0.4 * Math.sin(phase);
        });
        const payload = encode.frame(samples);
        rtpTime += soundSamples;
        this.#madeAt.microphone = begun.wall + due;
        // Its first sample is as old as this packet's beginning: the report says when it was made.
        if (!payload) continue;
        this.#microphone.writeRtp(this.#packet("microphone", 111, rtpTime, false, payload));
        this.sent.push({ kind: "microphone", madeAt: this.#madeAt.microphone, sentAt: Date.now() });
      }
    } finally {
      encode.close();
    }
  }

  #packet(
    kind: "camera" | "microphone",
    payloadType: number,
    rtpTime: number,
    marker: boolean,
    payload: Buffer,
  ): RtpPacket {
    this.#sequences[kind] = (this.#sequences[kind] + 1) & 0xffff;
    const header = new RtpHeader({
      payloadType,
      marker,
      timestamp: Math.floor(rtpTime) >>> 0,
      sequenceNumber: this.#sequences[kind],
      ssrc: this.uid,
      extensions: [],
    });
    return new RtpPacket(header, payload);
  }

  #draw(wallMs: number): Buffer {
    const { width, height } = this.#shape;
    const luma = width * height;
    const pixels = Buffer.alloc((luma * 3) / 2, 90);
    pixels.fill(this.clock.u, luma, luma + luma / 4);
    pixels.fill(this.clock.v, luma + luma / 4);
    litFields(wallMs).forEach((isLit, index) => {
      const field = fields[index];
      if (!field) return;
      const left = Math.round(field.x * width);
      const right = Math.round((field.x + field.width) * width);
      for (let row = Math.round(field.y * height); row < (field.y + field.height) * height; row++) {
        pixels.fill(isLit ? 235 : 16, row * width + left, row * width + right);
      }
    });
    return pixels;
  }
}

/** The units of a picture in Annex B. */
function unitsOf(annexB: Buffer): Buffer[] {
  const units: Buffer[] = [];
  let begin = -1;
  for (let at = 0; at + 3 <= annexB.length; at++) {
    if (annexB[at] !== 0 || annexB[at + 1] !== 0 || annexB[at + 2] !== 1) continue;
    if (begin >= 0) units.push(annexB.subarray(begin, annexB[at - 1] === 0 ? at - 1 : at));
    begin = at + 3;
  }
  if (begin >= 0) units.push(annexB.subarray(begin));
  return units;
}

/** RFC 6184: a unit as it is, or in fragments. */
function fragmentsOf(unit: Buffer): Buffer[] {
  if (unit.length <= mtu) return [unit];
  const head = unit[0] ?? 0;
  const fragments: Buffer[] = [];
  for (let at = 1; at < unit.length; at += mtu) {
    const flags = (at === 1 ? 0x80 : 0) | (at + mtu >= unit.length ? 0x40 : 0);
    const prefix = Buffer.from([(head & 0xe0) | 28, flags | (head & 0x1f)]);
    fragments.push(Buffer.concat([prefix, unit.subarray(at, at + mtu)]));
  }
  return fragments;
}

function openOpus(): { frame(samples: Float32Array): Buffer | null; close(): void } {
  const codec = Codec.findEncoderByName(FF_ENCODER_LIBOPUS);
  if (!codec) throw new Error("the media library has no Opus encoder");
  const context = new CodecContext();
  context.allocContext3(codec);
  context.sampleRate = 48_000;
  context.sampleFormat = AV_SAMPLE_FMT_FLT;
  context.channelLayout = AV_CHANNEL_LAYOUT_MONO;
  context.timeBase = new Rational(1, 48_000);
  context.bitRate = 32_000n;
  context.setOption("application", "lowdelay");
  FFmpegError.throwIfError(context.open2Sync(codec, null), "opening the Opus encoder");
  const packet = new Packet();
  packet.alloc();
  let pts = 0n;
  return {
    frame(samples) {
      const frame = Frame.fromAudioBuffer(Buffer.from(samples.buffer), {
        nbSamples: samples.length,
        format: AV_SAMPLE_FMT_FLT,
        sampleRate: 48_000,
        channelLayout: AV_CHANNEL_LAYOUT_MONO,
        timeBase: new Rational(1, 48_000),
        pts,
      });
      pts += BigInt(samples.length);
      try {
        FFmpegError.throwIfError(context.sendFrameSync(frame), "sending sound to the encoder");
      } finally {
        frame.free();
      }
      if (context.receivePacketSync(packet) < 0) return null;
      const data = packet.data ? Buffer.from(packet.data) : null;
      packet.unref();
      return data;
    },
    close() {
      packet.free();
      context.freeContext();
    },
  };
}
