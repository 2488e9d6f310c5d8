import {
  AV_LOG_ERROR,
  AV_PICTURE_TYPE_I,
  AV_PICTURE_TYPE_NONE,
  AV_PIX_FMT_YUV420P,
  AVCOL_PRI_SMPTE170M,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_SMPTE170M,
  AVCOL_TRC_SMPTE170M,
  FF_ENCODER_LIBX264,
} from "node-av/constants";
import { Codec, CodecContext, FFmpegError, Frame, Log, Packet, Rational } from "node-av/lib";

// x264 prints a page of statistics per recorder otherwise.
Log.setLevel(AV_LOG_ERROR);

export interface VideoShape {
  /** Pixels, even. */
  width: number;
  height: number;
  fps: number;
  /** kbit/s. */
  bitrate: number;
}

export interface EncodedPicture {
  /** H.264 in Annex B; a key frame carries its parameter sets. */
  data: Uint8Array;
  isKey: boolean;
}

/**
 * H.264 by libx264 in its cheapest form: one thread, `ultrafast`, `zerolatency`, so that each picture gives its packet at
 * once and nothing waits inside. Driven directly and not through mediabunny's encoder, which costs three times the
 * CPU per picture here (it copies each picture twice and starts threads per picture).
 */
export class VideoEncoder {
  readonly shape: VideoShape;
  readonly #context: CodecContext;
  readonly #packet: Packet;
  #isClosed = false;

  private constructor(shape: VideoShape, context: CodecContext, packet: Packet) {
    this.shape = shape;
    this.#context = context;
    this.#packet = packet;
  }

  /** Opens an encoder. Throws when this build of the media library has no libx264. */
  static async open(shape: VideoShape): Promise<VideoEncoder> {
    const codec = Codec.findEncoderByName(FF_ENCODER_LIBX264);
    if (!codec) throw new Error("the media library has no H.264 encoder (libx264)");
    const context = new CodecContext();
    context.allocContext3(codec);
    context.width = shape.width;
    context.height = shape.height;
    context.pixelFormat = AV_PIX_FMT_YUV420P;
    context.timeBase = new Rational(1, 1_000_000);
    context.framerate = new Rational(shape.fps, 1);
    // Cameras of browsers come so. Without the words a player takes anything of 720 lines and more for BT.709: greens turn dark.
    context.colorSpace = AVCOL_SPC_SMPTE170M;
    context.colorPrimaries = AVCOL_PRI_SMPTE170M;
    context.colorTrc = AVCOL_TRC_SMPTE170M;
    context.colorRange = AVCOL_RANGE_MPEG;
    context.bitRate = BigInt(shape.bitrate * 1000);
    // Slices decide where key frames stand; the encoder must add none of its own.
    context.gopSize = 100_000;
    context.threadCount = 1;
    // Options one by one: passing a dictionary to open2 crashes the process later.
    context.setOption("preset", "ultrafast");
    context.setOption("tune", "zerolatency");
    context.setOption("sc_threshold", "0");
    FFmpegError.throwIfError(await context.open2(), "opening the H.264 encoder");
    const packet = new Packet();
    packet.alloc();
    return new VideoEncoder(shape, context, packet);
  }

  /** Encodes one I420 picture at `seconds` of media time. Throws when the encoder refuses it. */
  async encode(pixels: Buffer, seconds: number, asKey: boolean): Promise<EncodedPicture> {
    const frame = Frame.fromVideoBuffer(pixels, {
      width: this.shape.width,
      height: this.shape.height,
      format: AV_PIX_FMT_YUV420P,
      timeBase: new Rational(1, 1_000_000),
      pts: BigInt(Math.round(seconds * 1_000_000)),
    });
    try {
      frame.pictType = asKey ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
      FFmpegError.throwIfError(await this.#context.sendFrame(frame), "sending a picture to the encoder");
      FFmpegError.throwIfError(await this.#context.receivePacket(this.#packet), "reading from the encoder");
      const data = this.#packet.data;
      if (!data) throw new Error("the encoder gave an empty packet");
      const encoded = { data: new Uint8Array(data), isKey: this.#packet.isKeyframe };
      this.#packet.unref();
      return encoded;
    } finally {
      frame.free();
    }
  }

  /** Frees the native memory; the encoder cannot be used afterwards. A second call does nothing. */
  close(): void {
    // Freeing native memory twice would end the process.
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#packet.free();
    this.#context.freeContext();
  }
}

/** The RFC 6381 codec string out of the parameter set at the head of a key frame. Throws if there is none. */
export function avcCodecString(annexB: Uint8Array): string {
  for (let at = 0; at + 6 < annexB.length; at++) {
    const isStart = annexB[at] === 0 && annexB[at + 1] === 0 && annexB[at + 2] === 1;
    if (isStart && ((annexB[at + 3] ?? 0) & 0x1f) === 7) {
      return `avc1.${Buffer.from(annexB.subarray(at + 4, at + 7)).toString("hex")}`;
    }
  }
  throw new Error("a key frame without a sequence parameter set");
}
