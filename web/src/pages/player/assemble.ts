import { BufferTarget, Conversion, HLS_FORMATS, Input, Mp4OutputFormat, Output, UrlSource } from "mediabunny";

/** A slice that does not come is asked for again this often, after so many seconds each. */
const RETRY_DELAYS = [0.5, 2, 5];

/**
 * Puts one MP4 together from a recording's playlist, in this browser, without encoding anything anew: packets are moved from one
 * container to the other. `onProgress` gets 0 to 1. Throws what the network or the media said, or the signal's reason.
 */
export async function assembleMp4(
  playlistUrl: string,
  order: { signal: AbortSignal; onProgress: (share: number) => void },
): Promise<Blob> {
  using input = new Input({
    source: new UrlSource(playlistUrl, { getRetryDelay: (attempts) => RETRY_DELAYS[attempts] ?? null }),
    formats: HLS_FORMATS,
  });
  const target = new BufferTarget();
  // The index first: players begin before the whole file is there.
  const output = new Output({ format: new Mp4OutputFormat({ fastStart: "in-memory" }), target });
  const conversion = await Conversion.init({ input, output });
  if (!conversion.isValid) throw new Error("nothing of this recording fits into an MP4");
  conversion.onProgress = (share) => order.onProgress(share);
  const cancel = () => void conversion.cancel();
  order.signal.addEventListener("abort", cancel);
  try {
    order.signal.throwIfAborted();
    await conversion.execute();
  } catch (error) {
    order.signal.throwIfAborted();
    throw error;
  } finally {
    order.signal.removeEventListener("abort", cancel);
  }
  if (target.buffer === null) throw new Error("the MP4 came to nothing");
  return new Blob([target.buffer], { type: "video/mp4" });
}
