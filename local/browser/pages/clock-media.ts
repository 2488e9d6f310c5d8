import { fields, litFields } from "./clock-face.ts";

export interface ClockOrder {
  /** Ground of the picture, CSS. */
  colour: string;
  width: number;
  height: number;
  fps: number;
  /** Hertz. */
  pitch: number;
  /** A beep of 100 ms sounds this long after each full second (UTC), ms. */
  beepAtMs: number;
}

/** When the clock was drawn, UTC ms: on a starved machine a page draws late, or not at all. */
export const drawnAt: number[] = [];

/** A camera that shows the time, and a microphone that beeps each second. */
export async function clockMedia(
  order: ClockOrder,
): Promise<{ camera: MediaStreamTrack; microphone: MediaStreamTrack }> {
  return { camera: clockCamera(order), microphone: await beepMicrophone(order) };
}

/** A picture that shows the time. */
export function clockCamera({ colour, width, height, fps }: ClockOrder): MediaStreamTrack {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) throw new Error("this browser cannot draw");
  context.fillStyle = colour;
  context.fillRect(0, 0, width, height);
  const [track] = canvas.captureStream(0).getVideoTracks();
  if (!(track instanceof CanvasCaptureMediaStreamTrack)) throw new Error("this browser cannot film a canvas");
  const draw = () => {
    const lit = litFields(Date.now());
    fields.forEach((field, index) => {
      context.fillStyle = lit[index] ? "#fff" : "#000";
      context.fillRect(field.x * width, field.y * height, field.width * width, field.height * height);
    });
    track.requestFrame();
    drawnAt.push(Date.now());
  };
  draw();
  const timer = setInterval(draw, 1000 / fps);
  track.addEventListener("ended", () => clearInterval(timer));
  return track;
}

async function beepMicrophone({ pitch, beepAtMs }: ClockOrder): Promise<MediaStreamTrack> {
  const context = new AudioContext({ sampleRate: 48_000, latencyHint: "interactive" });
  await context.audioWorklet.addModule("/browser/beep-worklet.ts");
  const options = { numberOfInputs: 0, outputChannelCount: [1], processorOptions: { pitch, beepAtMs } };
  const destination = context.createMediaStreamDestination();
  new AudioWorkletNode(context, "beeps", options).connect(destination);
  const [track] = destination.stream.getAudioTracks();
  if (!track) throw new Error("this browser cannot make sound");
  return track;
}
