import type { Page } from "playwright-core";

/** What the video element says of itself. Seconds. */
export interface VideoFacts {
  time: number;
  duration: number;
  isPaused: boolean;
  hasEnded: boolean;
  rate: number;
  /** Pictures that were decoded. */
  frames: number;
  isReady: boolean;
}

/** The player of a page, as a test looks at it; null while there is none. */
export async function videoFacts(page: Page): Promise<VideoFacts | null> {
  return await page.evaluate(() => {
    const video = document.querySelector("video");
    if (video === null) return null;
    return {
      time: video.currentTime,
      duration: video.duration,
      isPaused: video.paused,
      hasEnded: video.ended,
      rate: video.playbackRate,
      frames: video.getVideoPlaybackQuality().totalVideoFrames,
      isReady: video.readyState >= 3,
    };
  });
}

/** Waits until the video is as wanted, and gives what it says then. */
export async function untilVideo(
  page: Page,
  is: (facts: VideoFacts) => boolean,
  what: string,
): Promise<VideoFacts> {
  const deadline = performance.now() + 60_000;
  let facts: VideoFacts | null = null;
  while (performance.now() < deadline) {
    facts = await videoFacts(page);
    if (facts !== null && is(facts)) return facts;
    await page.waitForTimeout(50);
  }
  const words = await page
    .locator("main")
    .textContent()
    .catch(() => "");
  throw new Error(`the video never was ${what}: ${JSON.stringify(facts)}; the page says: ${words}`);
}

export const untilReady = (page: Page) => untilVideo(page, ({ isReady }) => isReady, "ready");

/**
 * Presses the player's own play, whatever stands over it. When it can play, it takes up the state it was given, paused: what
 * somebody did to the bare video before is undone.
 */
export async function play(page: Page): Promise<void> {
  await page
    .locator("[data-media-player][data-can-play] .vds-play-button")
    .first()
    .dispatchEvent("pointerup");
  await untilVideo(page, ({ isPaused }) => !isPaused, "playing");
}
