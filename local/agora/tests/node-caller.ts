import { setTimeout as pause } from "node:timers/promises";
import { MediaStreamTrack, RTCPeerConnection, RtpHeader, RtpPacket } from "werift";
import WebSocket from "ws";
import {
  type ClientMessage,
  onlyLoopback,
  type RemotePeer,
  serverMessage,
} from "../../../web/src/calls/local/messages.ts";
import type { CallCredentials, Publications } from "../../../web/src/calls/transport.ts";
import { loopbackConfig, payloadTypes } from "../calls/connection-config.ts";
import { withTrueTime } from "../calls/true-time.ts";
import { VideoEncoder, type VideoShape } from "../media/video-encoder.ts";
import { BeepEncoder, type CallerClock, clockPicture, payloadsOf, soundSamples } from "./caller-media.ts";
import { until } from "./stage.ts";

export const callerSize = { width: 320, height: 180 };
const callerShape: VideoShape = { ...callerSize, fps: 10, bitrate: 300 };

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
    this.#connection = new RTCPeerConnection(loopbackConfig());
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
        const { data } = await encoder.encode(
          clockPicture(this.clock, this.#shape, wallMs),
          count / fps,
          count % fps === 0,
        );
        this.#madeAt.camera = wallMs;
        this.#sendPicture(Buffer.from(data), (wallMs * 90) % 2 ** 32);
        this.sent.push({ kind: "camera", madeAt: wallMs, sentAt: Date.now() });
      }
    } finally {
      encoder.close();
    }
  }

  #sendPicture(annexB: Buffer, rtpTime: number): void {
    const payloads = payloadsOf(annexB);
    payloads.forEach((payload, index) => {
      const isLast = index === payloads.length - 1;
      this.#camera.writeRtp(this.#packet("camera", payloadTypes.h264, rtpTime, isLast, payload));
    });
  }

  async #sendSound(): Promise<void> {
    const encoder = new BeepEncoder(this.clock);
    try {
      let rtpTime = 0;
      const begun = { at: performance.now(), wall: Date.now() };
      for (let count = 0; !this.#ended.signal.aborted; count++) {
        const due = (count * soundSamples) / 48;
        await pause(Math.max(0, begun.at + due - performance.now()), undefined, {
          signal: this.#ended.signal,
        });
        const payload = encoder.next(begun.wall + due);
        rtpTime += soundSamples;
        this.#madeAt.microphone = begun.wall + due;
        // Its first sample is as old as this packet's beginning: the report says when it was made.
        if (!payload) continue;
        this.#microphone.writeRtp(this.#packet("microphone", payloadTypes.opus, rtpTime, false, payload));
        this.sent.push({ kind: "microphone", madeAt: this.#madeAt.microphone, sentAt: Date.now() });
      }
    } finally {
      encoder.close();
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
}
