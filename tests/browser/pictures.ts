import type { Locator } from "playwright-core";
import { expect } from "vitest";

/** A busy machine takes its time. */
const patience = { timeout: 60_000 };

/**
 * Waits until a video has shown ten pictures more than it had: a still picture is no call. Gives the video. Rejects with what the element
 * says of itself where none come.
 */
export async function picturesMove(video: Locator): Promise<Locator> {
  await video.waitFor();
  const shown = () =>
    video.evaluate((element: HTMLVideoElement) => ({
      frames: element.getVideoPlaybackQuality().totalVideoFrames,
      width: element.videoWidth,
      isPaused: element.paused,
      readyState: element.readyState,
      tracks:
        element.srcObject instanceof MediaStream
          ? element.srcObject.getTracks().map(({ readyState, muted }) => ({ readyState, muted }))
          : [],
    }));
  try {
    await expect.poll(async () => (await shown()).width, patience).toBeGreaterThan(0);
    const first = await shown();
    await expect.poll(async () => (await shown()).frames, patience).toBeGreaterThan(first.frames + 10);
  } catch (cause) {
    throw new Error(`no pictures move: ${JSON.stringify(await shown())}`, { cause });
  }
  return video;
}

/** The pixels of the picture that a video shows now, as red, green and blue from 0 to 255, on a coarse grid. */
async function pixelsOf(video: Locator): Promise<number[][]> {
  return await video.evaluate((element: HTMLVideoElement) => {
    const canvas = document.createElement("canvas");
    canvas.width = 64;
    canvas.height = 36;
    const context = canvas.getContext("2d");
    context?.drawImage(element, 0, 0, canvas.width, canvas.height);
    const data = [...(context?.getImageData(0, 0, canvas.width, canvas.height).data ?? [])];
    return Array.from({ length: data.length / 4 }, (_, index) => data.slice(index * 4, index * 4 + 3));
  });
}

/** The colour that most of a picture has. */
export async function strongestColour(video: Locator): Promise<number[]> {
  const alike = new Map<string, number[][]>();
  for (const pixel of await pixelsOf(video)) {
    const name = pixel.map((value) => value >> 5).join(" ");
    alike.set(name, [...(alike.get(name) ?? []), pixel]);
  }
  const [most = []] = [...alike.values()].sort((a, b) => b.length - a.length);
  return [0, 1, 2].map((band) => most.reduce((sum, pixel) => sum + (pixel[band] ?? 0), 0) / most.length);
}

/** How much of a picture has about this colour, 0 to 1. Encoding moves colours a little. */
export async function shareOfColour(video: Locator, colour: readonly number[]): Promise<number> {
  const pixels = await pixelsOf(video);
  const isAlike = (pixel: number[]) =>
    Math.hypot(...pixel.map((value, band) => value - (colour[band] ?? 0))) < 60;
  return pixels.filter(isAlike).length / pixels.length;
}
