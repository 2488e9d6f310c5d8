import { z } from "zod";
import { engineError } from "../agora/errors.ts";
import { recordingConfigOf } from "../agora/presets.ts";
import {
  issuesOf,
  type RecordingConfig,
  type RecordingFileConfig,
  recordingConfig,
  recordingFileConfig,
  type StorageConfig,
  storageConfig,
} from "../agora/requests.ts";
import type { StoreSettings } from "../b2/settings.ts";
import { RecorderFailure } from "../errors.ts";
import type { JobRecording, Settings } from "../jobs/job.ts";
import { attemptFolders } from "../recording-folder.ts";

export interface StartRequestParts {
  recordingConfig: RecordingConfig;
  recordingFileConfig: RecordingFileConfig;
  storageConfig: StorageConfig;
}

/**
 * Everything a start says beside ids and token; the numbers are the database's (recorder.presets, recorder.settings). The
 * bucket is any S3-protocol store (vendor 11, region 0), named by its bare host: whether a scheme is tolerated is not
 * documented. Throws RecorderFailure `engine_request_invalid` for what Agora would refuse.
 */
export function startRequestOf(
  recording: Pick<JobRecording, "id" | "layout" | "preset" | "mentor_uid">,
  attempt: number,
  settings: Settings,
  bucket: StoreSettings,
): StartRequestParts {
  if (recording.preset === null) {
    throw new RecorderFailure(
      engineError("engine_request_invalid", {
        detail: "the recording's quality has no row in recorder.presets",
      }),
    );
  }
  return {
    recordingConfig: recordingConfigOf(recording.preset.is_audio_only ? undefined : recording.preset, {
      maxIdleSeconds: settings.idle_limit ?? 300,
      channelType: settings.channel_type ?? 1,
      layout: recording.layout,
      largeUid: recording.mentor_uid ?? undefined,
    }),
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
  const { accessKey: _accessKey, secretKey: _secretKey, ...storage } = parts.storageConfig;
  return { ...parts, storageConfig: storage };
}

const keptRequest = z.strictObject({
  recordingConfig,
  recordingFileConfig,
  storageConfig: z.record(z.string(), z.unknown()),
});

/**
 * The very request that was kept, with the store's keys put back: a repeated start has to say what the first one said.
 * Throws RecorderFailure `engine_request_invalid` for what is no such request.
 */
export function withSecrets(kept: Record<string, unknown>, bucket: StoreSettings): StartRequestParts {
  const parsed = keptRequest.safeParse(kept);
  const storage = storageConfig.safeParse({
    ...parsed.data?.storageConfig,
    accessKey: bucket.keyId,
    secretKey: bucket.applicationKey,
  });
  if (parsed.success && storage.success) return { ...parsed.data, storageConfig: storage.data };
  const issues = [parsed, storage].flatMap(({ error }) => (error === undefined ? [] : [issuesOf(error)]));
  throw new RecorderFailure(engineError("engine_request_invalid", { detail: issues.join("; ") }));
}
