import type { HLSProvider } from "@vidstack/react";
import type Hls from "hls.js";
import workerPath from "hls.js/dist/hls.worker.js?url";
import type { Renewal } from "./renewal.ts";

/** Fetched beside everything else as soon as this file is: it is wanted in any case. */
const library = import("hls.js/light");

/**
 * Sets up hls.js before it is made: ours instead of a public network's, its worker from a file of ours (the policy allows no
 * blob: scripts), every request with the newest address of what it asks for.
 */
export function prepareHls(provider: HLSProvider, renewal: Renewal, startSeconds: number): void {
  // The light build has everything that recordings need, under a type of its own.
  provider.library = (() => library) as unknown as HLSProvider["library"];
  // The address is also laid down as a <source>, which only AirPlay uses; any other browser would try it beside hls.js.
  if (!("WebKitPlaybackTargetAvailabilityEvent" in window)) {
    Object.assign(provider, { appendSource: () => undefined });
  }
  provider.config = {
    workerPath,
    startPosition: startSeconds,
    // Addresses live for hours: what was watched may go, what comes may be fetched ahead.
    backBufferLength: 60,
    maxBufferLength: 40,
    // A slice that does not come is asked for again for some seconds; then it is said, and a press or the network's return goes on.
    fragLoadPolicy: {
      default: {
        maxTimeToFirstByteMs: 10_000,
        maxLoadTimeMs: 120_000,
        timeoutRetry: { maxNumRetry: 2, retryDelayMs: 0, maxRetryDelayMs: 0 },
        errorRetry: { maxNumRetry: 4, retryDelayMs: 500, maxRetryDelayMs: 4_000 },
      },
    },
    xhrSetup: async (xhr: XMLHttpRequest, url: string) => {
      xhr.open("GET", await renewal.addressFor(url), true);
    },
  };
}

/** Lets hls.js ask again for what it lacks at this second, with the addresses that are known by now. */
export function askAgain(provider: HLSProvider, seconds: number): void {
  const instance = provider.instance as Hls | null;
  instance?.stopLoad();
  instance?.startLoad(seconds);
}
