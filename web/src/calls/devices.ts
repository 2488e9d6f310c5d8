import type { Device, MediaKind } from "./transport.ts";

/** What a camera is asked for; the browser takes the nearest it has. */
const cameraWish = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 15, max: 30 } };

/** Opens a device, the default one unless one is named, or asks which screen to share. Rejects as the browser does. */
export async function openDevice(kind: MediaKind, deviceId?: string): Promise<MediaStreamTrack> {
  const chosen = deviceId === undefined ? {} : { deviceId: { exact: deviceId } };
  const stream =
    kind === "screen"
      ? await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false })
      : await navigator.mediaDevices.getUserMedia(
          kind === "camera" ? { video: { ...cameraWish, ...chosen } } : { audio: chosen },
        );
  const [track] = stream.getTracks();
  if (!track) throw new Error(`the browser gave no ${kind}`);
  return track;
}

export function closeDevice(track: MediaStreamTrack): void {
  track.stop();
}

/** Cameras and microphones of this machine; labels are empty until the person has allowed one. */
export async function listDevices(): Promise<Device[]> {
  const found = await navigator.mediaDevices.enumerateDevices();
  return found.flatMap(({ kind, deviceId, label }): Device[] => {
    if (kind === "videoinput") return [{ kind: "camera", deviceId, label }];
    return kind === "audioinput" ? [{ kind: "microphone", deviceId, label }] : [];
  });
}
