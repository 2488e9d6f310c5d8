import type HlsClass from "hls.js";

export interface Point {
  x: number;
  y: number;
}

/** A colour as pictures are kept: BT.601, limited range. */
export interface Shade {
  y: number;
  u: number;
  v: number;
}

/** Address of the backend, key of its clients, who watches what, and what is looked at. */
export interface PlayOrder {
  url: string;
  publishableKey: string;
  accessToken: string;
  recordingId: string;
  /** Points of the picture (in its own pixels) that are looked at. */
  points: readonly Point[];
  /** Beeps that are listened for, Hz. */
  pitches: number[];
}

export interface PlayedBack {
  width: number;
  height: number;
  /** As the player shows it. */
  durationMs: number;
  /** Where playing ended, ms. */
  endedAtMs: number;
  /** How often it stood still after it had begun. */
  stalls: number;
  /** What the player complained of. */
  troubles: string[];
  /** Every picture that was shown: its media time (ms) and what was seen at the points. */
  pictures: { atMs: number; shades: Shade[] }[];
  /** Media times (ms) at which beeps were heard, by pitch. */
  beeps: number[][];
}

declare global {
  interface Window {
    playRecording(order: PlayOrder): Promise<PlayedBack>;
  }
}

// On the page the player's module lies under another path than in the project.
const path = "/hls/hls.mjs";
const { default: Hls }: { default: typeof HlsClass } = await import(path);

/** Longest silence of a player that goes on playing, ms. */
const silenceMs = 30_000;

/** Plays a recording to its end, as the portal does: asks for its addresses, and gives the playlist to hls.js. */
window.playRecording = async ({ url, publishableKey, accessToken, recordingId, points, pitches }) => {
  const answer = await fetch(`${url}/functions/v1/play-recording`, {
    method: "POST",
    headers: {
      apikey: publishableKey,
      authorization: `Bearer ${accessToken}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ recording_id: recordingId }),
  });
  if (!answer.ok) throw new Error(`playback was refused: HTTP ${answer.status}`);
  const addresses: { hls: { url: string } } = await answer.json();

  const video = document.createElement("video");
  document.body.append(video);
  const played: PlayedBack = {
    width: 0,
    height: 0,
    durationMs: 0,
    endedAtMs: 0,
    stalls: 0,
    troubles: [],
    pictures: [],
    beeps: pitches.map(() => []),
  };
  await listen(video, pitches, (index) => played.beeps[index]?.push(video.currentTime * 1000));
  const hls = new Hls();
  const ended = new Promise<void>((resolve, reject) => {
    let last = performance.now();
    const watch = setInterval(() => {
      if (performance.now() - last > silenceMs) reject(new Error("playing stood still"));
    }, 1_000);
    video.addEventListener("timeupdate", () => {
      last = performance.now();
    });
    video.addEventListener("ended", () => {
      clearInterval(watch);
      resolve();
    });
    hls.on(Hls.Events.ERROR, (_, { details, fatal }) => {
      played.troubles.push(details);
      if (fatal) reject(new Error(`the player gave up: ${details}`));
    });
  });
  watchPictures(video, points, (atMs, shades) => played.pictures.push({ atMs, shades }));
  video.addEventListener("waiting", () => {
    if (video.currentTime > 0) played.stalls += 1;
  });
  hls.on(Hls.Events.LEVEL_LOADED, (_, { details }) => {
    played.durationMs = details.totalduration * 1000;
  });
  hls.loadSource(addresses.hls.url);
  hls.attachMedia(video);
  await video.play();
  await ended;
  played.width = video.videoWidth;
  played.height = video.videoHeight;
  played.endedAtMs = video.currentTime * 1000;
  hls.destroy();
  return played;
};

async function listen(
  video: HTMLVideoElement,
  pitches: number[],
  onBeep: (index: number) => void,
): Promise<void> {
  const context = new AudioContext({ sampleRate: 48_000 });
  await context.audioWorklet.addModule("/browser/listen-worklet.ts");
  const listener = new AudioWorkletNode(context, "listener", { processorOptions: { pitches } });
  listener.port.onmessage = ({ data }: MessageEvent<number>) => onBeep(data);
  context.createMediaElementSource(video).connect(listener).connect(context.destination);
  await context.resume();
}

function watchPictures(
  video: HTMLVideoElement,
  points: readonly Point[],
  onPicture: (atMs: number, shades: Shade[]) => void,
): void {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("this browser cannot draw");
  const look = (_: number, { mediaTime, width, height }: VideoFrameCallbackMetadata) => {
    if (canvas.width !== width) [canvas.width, canvas.height] = [width, height];
    context.drawImage(video, 0, 0);
    onPicture(
      mediaTime * 1000,
      points.map(({ x, y }) => shadeOf(context.getImageData(x, y, 1, 1).data)),
    );
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
}

function shadeOf([red = 0, green = 0, blue = 0]: Uint8ClampedArray): Shade {
  return {
    y: 16 + 0.257 * red + 0.504 * green + 0.098 * blue,
    u: 128 - 0.148 * red - 0.291 * green + 0.439 * blue,
    v: 128 + 0.439 * red - 0.368 * green - 0.071 * blue,
  };
}
