import { registerMediabunnyServer } from "@mediabunny/server";
import {
  AudioSample,
  AudioSampleSource,
  EncodedPacket,
  Mp4OutputFormat,
  NullTarget,
  Output,
  Quality,
} from "mediabunny";
import {
  type AacTrack,
  type AudioProfile,
  audioProfiles,
  blockSamples,
  blockSeconds,
  sampleRate,
} from "./aac-blocks.ts";

/** After 8 s the beeps and the AAC blocks are in step again: 375 blocks of 1,024 samples are exactly 384,000 samples. */
const cycleBlocks = 375;
const leadBlocks = 4;
const beepSamples = sampleRate / 10;
const fadeSamples = sampleRate / 200;
/** Hertz. */
const pitch = 1000;

const tracks = new Map<AudioProfile, Promise<AacTrack>>();

/**
 * The synthetic sound: a 1 kHz beep of 100 ms at each full second of the recording. It repeats every 8 s, so it is
 * encoded once per process and profile, and every recorder uses the same packets: sound costs no CPU while recording.
 */
export function beepTrack(profile: AudioProfile): Promise<AacTrack> {
  const known = tracks.get(profile);
  if (known) return known;
  const made = encodeCycle(profile);
  tracks.set(profile, made);
  return made;
}

async function encodeCycle(profile: AudioProfile): Promise<AacTrack> {
  registerEncoders();
  const { channels, kbps } = audioProfiles[profile];
  const packets: EncodedPacket[] = [];
  let config: AudioDecoderConfig | undefined;
  const source = new AudioSampleSource({
    codec: "aac",
    quality: new Quality({ bitrate: kbps * 1000 }),
    onEncodedPacket: (packet, meta) => {
      packets.push(packet);
      config ??= meta?.decoderConfig;
    },
  });
  const output = new Output({
    format: new Mp4OutputFormat({ fastStart: "fragmented" }),
    target: new NullTarget(),
  });
  output.addAudioTrack(source);
  await output.start();
  // A few blocks before the cycle and after it: each block overlaps its neighbours.
  const data = beeps(-leadBlocks * blockSamples, (cycleBlocks + 2 * leadBlocks) * blockSamples, channels);
  const sample = new AudioSample({
    data,
    format: "f32",
    numberOfChannels: channels,
    sampleRate,
    timestamp: 0,
  });
  await source.add(sample);
  sample.close();
  await output.finalize();
  if (!config) throw new Error("the AAC encoder told nothing about its output");
  // The encoder is one block late: packet n holds the samples of block n - 1.
  const cycle = packets.slice(leadBlocks + 1, leadBlocks + 1 + cycleBlocks);
  const block = (index: number, from: number) => {
    const data = cycle[index % cycleBlocks]?.data;
    if (!data) throw new Error(`no AAC block ${index}`);
    return new EncodedPacket(data, "key", index * blockSeconds - from, blockSeconds);
  };
  return { config, block };
}

let encodersRegistered = false;

function registerEncoders(): void {
  if (encodersRegistered) return;
  encodersRegistered = true;
  // Without this, a search for graphics cards is made on each start.
  registerMediabunnyServer({ hardwareContext: null });
}

/** Samples from the one numbered `from` on (0 is a full second), interleaved; silence between the beeps. */
function beeps(from: number, count: number, channels: number): Float32Array<ArrayBuffer> {
  const samples = new Float32Array(count * channels);
  for (let at = 0; at < count; at++) {
    const sinceSecond = (((from + at) % sampleRate) + sampleRate) % sampleRate;
    if (sinceSecond >= beepSamples) continue;
    const loudness = 0.4 * Math.min(1, sinceSecond / fadeSamples, (beepSamples - sinceSecond) / fadeSamples);
    const value = loudness * Math.sin((2 * Math.PI * pitch * sinceSecond) / sampleRate);
    for (let channel = 0; channel < channels; channel++) samples[at * channels + channel] = value;
  }
  return samples;
}
