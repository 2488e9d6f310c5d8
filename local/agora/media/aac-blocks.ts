import type { EncodedPacket } from "mediabunny";

/** Samples per second of all sound here. */
export const sampleRate = 48_000;

/** Samples of one AAC block. */
export const blockSamples = 1024;

/** Length of one AAC block in seconds. */
export const blockSeconds = blockSamples / sampleRate;

/** audioProfile of the start request: 0 mono 48 kbit/s, 1 mono 128, 2 stereo 192, all 48 kHz. */
export type AudioProfile = 0 | 1 | 2;

/** What each audioProfile asks of the encoder. */
export const audioProfiles = {
  0: { channels: 1, kbps: 48 },
  1: { channels: 1, kbps: 128 },
  2: { channels: 2, kbps: 192 },
} as const;

/** The sound of a recording, encoded in blocks of equal length. */
export interface AacTrack {
  config: AudioDecoderConfig;
  /** The AAC block that sounds at `index * blockSeconds` of media time; `from` is subtracted from its timestamp. */
  block(index: number, from: number): EncodedPacket;
}

/** Steps per second of a recording where there is no picture to pace the work. */
export const soundStepsPerSecond = 5;
