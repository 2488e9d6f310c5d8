import { type RecordingPreset, recordingConfigOf } from "../agora/presets.ts";
import type { RecordingConfig, RecordingFileConfig, StorageConfig } from "../agora/requests.ts";
import type { StoreSettings } from "../b2/settings.ts";
import type { JobRecording, Settings } from "../jobs/job.ts";
import { attemptFolders } from "../recording-folder.ts";

/** Sizes and rates by quality; bitrates are Agora's base values doubled, as it asks for live channels. */
const QUALITIES: Record<Exclude<JobRecording["quality"], "audio">, Omit<RecordingPreset, "layout">> = {
  "480p": { width: 848, height: 480, fps: 15, bitrate_kbps: 1220 },
  "720p": { width: 1280, height: 720, fps: 15, bitrate_kbps: 2260 },
  "1080p": { width: 1920, height: 1080, fps: 15, bitrate_kbps: 4160 },
};

export interface StartRequestParts {
  recordingConfig: RecordingConfig;
  recordingFileConfig: RecordingFileConfig;
  storageConfig: StorageConfig;
}

/**
 * Everything a start says beside ids and token. The bucket is any S3-protocol store (vendor 11, region 0), named by
 * its bare host: whether a scheme is tolerated is not documented.
 */
export function startRequestOf(
  recording: Pick<JobRecording, "id" | "quality" | "layout">,
  attempt: number,
  settings: Settings,
  bucket: StoreSettings,
): StartRequestParts {
  const maxIdleSeconds = settings.idle_limit ?? 300;
  const recordingConfig: RecordingConfig =
    recording.quality === "audio"
      ? { channelType: 1, streamTypes: 0, audioProfile: 1, maxIdleTime: maxIdleSeconds }
      : recordingConfigOf(
          { ...QUALITIES[recording.quality], layout: recording.layout },
          { maxIdleSeconds, channel: "live" },
        );
  return {
    recordingConfig,
    recordingFileConfig: { avFileType: ["hls", "mp4"] },
    storageConfig: {
      vendor: 11,
      region: 0,
      bucket: bucket.bucket,
      accessKey: bucket.keyId,
      secretKey: bucket.applicationKey,
      fileNamePrefix: attemptFolders(recording.id, attempt),
      extensionParams: { endpoint: new URL(bucket.endpoint).host },
    },
  };
}

/** The request as it may be kept: without the store's keys. */
export function withoutSecrets(parts: StartRequestParts): Record<string, unknown> {
  const { accessKey: _accessKey, secretKey: _secretKey, ...storageConfig } = parts.storageConfig;
  return { ...parts, storageConfig };
}
