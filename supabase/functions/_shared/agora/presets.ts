import { RecorderFailure } from "../errors.ts";
import { engineError } from "./errors.ts";
import { issuesOf, type RecordingConfig, recordingConfig } from "./requests.ts";

/** The numbers behind a quality; the member names are those of the stored presets. */
export interface RecordingPreset {
  width: number;
  height: number;
  fps: number;
  bitrate_kbps: number;
}

/** Agora's numbers for layouts (mixedVideoLayout); 3 would be one that is drawn by hand. */
const LAYOUTS = new Map([
  ["floating", 0],
  ["best_fit", 1],
  ["vertical", 2],
]);
/** 48 kHz, one channel, some 128 kbps: the words of two people, without the picture that would excuse less. */
const SOUND_ONLY_PROFILE = 1;

/** What a recording is asked for beside its quality. */
export interface RecordingOptions {
  /** How long nobody may publish before the engine leaves; Agora advises 300. */
  maxIdleSeconds: number;
  /** 1 live, 0 communication: must equal the profile of the callers' SDK, or nothing or only sound is recorded. */
  channelType: number;
  /** `floating`, `best_fit` or `vertical`. */
  layout: string;
  /** Whose picture is the large one of a `vertical` layout; whoever came first where it is not named. */
  largeUid?: string | undefined;
}

/**
 * The recordingConfig of a mix task; without a preset only sound is recorded. Throws RecorderFailure
 * `engine_request_invalid` for what Agora would refuse: more than 1920 x 1080, more than 6500 kbps, an unknown layout, a
 * frame rate other than 1, 7, 10, 15, 24, 30, 60 (it would silently become 15).
 */
export function recordingConfigOf(
  preset: RecordingPreset | undefined,
  options: RecordingOptions,
): RecordingConfig {
  const { maxIdleSeconds, channelType, layout, largeUid } = options;
  const number = LAYOUTS.get(layout);
  if (number === undefined) throw invalid(`layout: ${layout} is none of Agora's`);
  const parsed = recordingConfig.safeParse({
    channelType,
    maxIdleTime: maxIdleSeconds,
    ...(preset === undefined
      ? { streamTypes: 0, audioProfile: SOUND_ONLY_PROFILE }
      : {
          streamTypes: 2,
          videoStreamType: 0,
          transcodingConfig: {
            width: preset.width,
            height: preset.height,
            fps: preset.fps,
            bitrate: preset.bitrate_kbps,
            mixedVideoLayout: number,
            ...(layout === "vertical" && largeUid !== undefined ? { maxResolutionUid: largeUid } : {}),
            backgroundColor: "#000000",
          },
        }),
  });
  if (parsed.success) return parsed.data;
  throw invalid(issuesOf(parsed.error));
}

function invalid(detail: string): RecorderFailure {
  return new RecorderFailure(engineError("engine_request_invalid", { detail }));
}
