import type { TrackType } from "./events.ts";
import type { StartRequest } from "./request-rules.ts";

/** Which tracks a start request asks for. Naming uids of one kind only leaves the other kind out. */
export function tracksOf(request: StartRequest): { video: boolean; audio: boolean; trackType: TrackType } {
  const config = request.recordingConfig;
  const audioListed = Boolean(
    config.subscribeAudioUids ?? config.unSubscribeAudioUids ?? config.unsubscribeAudioUids,
  );
  const videoListed = Boolean(
    config.subscribeVideoUids ?? config.unSubscribeVideoUids ?? config.unsubscribeVideoUids,
  );
  const video = config.streamTypes !== 0 && (videoListed || !audioListed);
  const audio = config.streamTypes !== 1 && (audioListed || !videoListed);
  return { video, audio, trackType: video && audio ? "audio_and_video" : video ? "video" : "audio" };
}
