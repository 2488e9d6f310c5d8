import {
  EncodedAudioPacketSource,
  EncodedPacket,
  EncodedVideoPacketSource,
  Output,
  type OutputFormat,
  type Target,
} from "mediabunny";
import { type AacTrack, blockSeconds } from "./aac-blocks.ts";
import { avcCodecString, type EncodedPicture, type VideoShape } from "./video-encoder.ts";

export interface Tracks {
  video: VideoShape | null;
  audio: AacTrack | null;
}

/**
 * One file being written from packets that are already encoded: a slice or an MP4. The same packets go into both, so
 * a recording is encoded once.
 */
export class Container {
  readonly target: Target;
  readonly #output: Output;
  readonly #tracks: Tracks;
  /** Media time that becomes zero in this file, seconds. */
  readonly #from: number;
  readonly #video: EncodedVideoPacketSource | null = null;
  readonly #audio: EncodedAudioPacketSource | null = null;
  #videoConfig: VideoDecoderConfig | undefined;
  #audioBegun = false;

  private constructor(format: OutputFormat, target: Target, tracks: Tracks, from: number) {
    this.target = target;
    this.#tracks = tracks;
    this.#from = from;
    this.#output = new Output({ format, target });
    if (tracks.video) {
      this.#video = new EncodedVideoPacketSource("avc");
      this.#output.addVideoTrack(this.#video, { frameRate: tracks.video.fps });
    }
    if (tracks.audio) {
      this.#audio = new EncodedAudioPacketSource("aac");
      this.#output.addAudioTrack(this.#audio);
    }
  }

  static async open(format: OutputFormat, target: Target, tracks: Tracks, from: number): Promise<Container> {
    const container = new Container(format, target, tracks, from);
    await container.#output.start();
    return container;
  }

  /** Adds a picture shown from `seconds` of media time for `duration` seconds. The first one must be a key frame. */
  async addPicture(picture: EncodedPicture, seconds: number, duration: number): Promise<void> {
    const shape = this.#tracks.video;
    if (!this.#video || !shape) return;
    const packet = new EncodedPacket(
      picture.data,
      picture.isKey ? "key" : "delta",
      seconds - this.#from,
      duration,
    );
    if (this.#videoConfig) return this.#video.add(packet);
    this.#videoConfig = {
      codec: avcCodecString(picture.data),
      codedWidth: shape.width,
      codedHeight: shape.height,
    };
    await this.#video.add(packet, { decoderConfig: this.#videoConfig });
  }

  /** Adds the AAC block with this number, counted from the beginning of the recording. */
  async addSound(index: number): Promise<void> {
    const track = this.#tracks.audio;
    if (!this.#audio || !track) return;
    // A file that begins between two blocks starts with the next one; its time is never negative.
    const packet = track.block(index, Math.min(this.#from, index * blockSeconds));
    if (this.#audioBegun) return this.#audio.add(packet);
    this.#audioBegun = true;
    await this.#audio.add(packet, { decoderConfig: track.config });
  }

  /** Completes the file. */
  async finish(): Promise<void> {
    await this.#output.finalize();
  }

  /** Gives the file up and releases its handle. */
  async abandon(): Promise<void> {
    await this.#output.cancel();
  }
}
