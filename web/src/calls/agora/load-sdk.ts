import type { IAgoraRTC } from "agora-rtc-sdk-ng";
import type { AgoraSdk } from "./sdk.ts";

/** Levels of the SDK's log, from its declaration: 0 debug, 1 info, 2 warning, 3 error, 4 none. */
const errorsOnly = 3;

let loaded: Promise<AgoraSdk> | undefined;

/** Fetches the SDK, 420 kB, when a call over Agora begins, and never before. A failed fetch is tried again by the next call. */
export function loadSdk(): Promise<AgoraSdk> {
  loaded ??= import("agora-rtc-sdk-ng").then(
    (module) => {
      // Node's rules take the package's declarations for CommonJS; a bundler's default export is the SDK itself.
      const sdk = module.default as unknown as IAgoraRTC as AgoraSdk;
      sdk.setLogLevel(errorsOnly);
      return sdk;
    },
    (error: unknown) => {
      loaded = undefined;
      throw error;
    },
  );
  return loaded;
}
