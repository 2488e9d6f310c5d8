import { useCallback, useEffect, useRef, useState } from "react";
import { closeDevice, listDevices, openDevice } from "../../calls/devices.ts";
import type { Device } from "../../calls/transport.ts";
import { call as texts } from "../../texts/call.ts";
import type { DeviceKind } from "./call-session.ts";

const nameOf: Record<DeviceKind, string> = { camera: "camera", microphone: "microphone" };

/** What a refused device means to a person. The names are getUserMedia's. */
export function deviceSentence(kind: DeviceKind, error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotFoundError" || name === "OverconstrainedError") return texts.deviceMissing(nameOf[kind]);
  if (name === "NotReadableError" || name === "AbortError") return texts.deviceBusy(nameOf[kind]);
  return texts.deviceRefused(nameOf[kind]);
}

/** One device of the preview: open while it is wanted, closed when the page goes or somebody takes it. */
export interface PreviewDevice {
  track: MediaStreamTrack | undefined;
  problem: string | undefined;
  /** Asks for it once more: the person may have allowed it, or plugged it in. */
  retry(): void;
  /** Hands the track over: the preview neither shows nor closes it any more. */
  take(): MediaStreamTrack | undefined;
}

/** Opens a device for the preview. A chosen one that is gone is replaced by the default one. */
export function usePreviewDevice(
  kind: DeviceKind,
  isWanted: boolean,
  deviceId: string | undefined,
): PreviewDevice {
  const [track, setTrack] = useState<MediaStreamTrack>();
  const [problem, setProblem] = useState<string>();
  const [tries, setTries] = useState(0);
  const held = useRef<MediaStreamTrack>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `tries` is the very reason to ask again
  useEffect(() => {
    setProblem(undefined);
    if (!isWanted) return;
    let isCurrent = true;
    const opened = async () => {
      try {
        return await openDevice(kind, deviceId);
      } catch (error) {
        const isGone =
          error instanceof Error && (error.name === "OverconstrainedError" || error.name === "NotFoundError");
        if (deviceId === undefined || !isGone) throw error;
        return openDevice(kind);
      }
    };
    opened().then(
      (found) => {
        if (!isCurrent) return closeDevice(found);
        held.current = found;
        setTrack(found);
      },
      (error: unknown) => isCurrent && setProblem(deviceSentence(kind, error)),
    );
    return () => {
      isCurrent = false;
      if (held.current) closeDevice(held.current);
      held.current = undefined;
      setTrack(undefined);
    };
  }, [kind, isWanted, deviceId, tries]);
  const retry = useCallback(() => setTries((count) => count + 1), []);
  const take = useCallback(() => {
    const taken = held.current;
    held.current = undefined;
    return taken;
  }, []);
  return { track, problem, retry, take };
}

/** Cameras and microphones, listed anew when one is plugged in or allowed (`permit` changes). */
export function useDevices(permit: unknown): readonly Device[] {
  const [devices, setDevices] = useState<readonly Device[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: names become readable when a device was allowed
  useEffect(() => {
    const media = navigator.mediaDevices;
    if (media === undefined) return;
    let isCurrent = true;
    const list = () =>
      listDevices().then(
        (found) => isCurrent && setDevices(found),
        () => undefined,
      );
    void list();
    media.addEventListener("devicechange", list);
    return () => {
      isCurrent = false;
      media.removeEventListener("devicechange", list);
    };
  }, [permit]);
  return devices;
}

/** How loud a track is, 0 to 1, told 10 times a second; silent where the browser has no sound to measure. */
export function useLoudness(track: MediaStreamTrack | undefined, tell: (level: number) => void): void {
  const latest = useRef(tell);
  latest.current = tell;
  useEffect(() => {
    if (track === undefined || typeof AudioContext === "undefined") return;
    const context = new AudioContext();
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const analyser = context.createAnalyser();
    analyser.fftSize = 1_024;
    source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      // Speech lies between -50 and -10 dB.
      latest.current(Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-9) + 50) / 40)));
    }, 100);
    return () => {
      clearInterval(timer);
      source.disconnect();
      void context.close();
      latest.current(0);
    };
  }, [track]);
}
