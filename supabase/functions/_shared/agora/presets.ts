import { RecorderFailure } from "../errors.ts";
import { engineError } from "./errors.ts";
import { issuesOf, type RecordingConfig, recordingConfig } from "./requests.ts";

/** How a recording shall look; the member names are those of the stored presets. */
export interface RecordingPreset {
  width: number;
  height: number;
  fps: number;
  bitrate_kbps: number;
  layout: "floating" | "best_fit" | "vertical";
}

const LAYOUTS = { floating: 0, best_fit: 1, vertical: 2 } as const;

/**
 * The recordingConfig of a mix task. `maxIdleSeconds`: how long nobody may publish before the engine leaves (Agora
 * advises 300). `channel` must equal the profile of the callers' SDK, or nothing or only sound is recorded. Throws
 * RecorderFailure `engine_request_invalid` for what Agora would refuse: more than 1920 x 1080, more than 6500 kbps, a
 * frame rate other than 1, 7, 10, 15, 24, 30, 60 (it would silently become 15).
 */
export function recordingConfigOf(
  preset: RecordingPreset,
  options: { maxIdleSeconds: number; channel: "live" | "communication" },
): RecordingConfig {
  const parsed = recordingConfig.safeParse({
    channelType: options.channel === "live" ? 1 : 0,
    streamTypes: 2,
    videoStreamType: 0,
    maxIdleTime: options.maxIdleSeconds,
    transcodingConfig: {
      width: preset.width,
      height: preset.height,
      fps: preset.fps,
      bitrate: preset.bitrate_kbps,
      mixedVideoLayout: LAYOUTS[preset.layout],
      backgroundColor: "#000000",
    },
  });
  if (parsed.success) return parsed.data;
  throw new RecorderFailure(engineError("engine_request_invalid", { detail: issuesOf(parsed.error) }));
}
