import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const programs = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const macPrograms = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** What to say where no browser is found. */
export const chromiumMissing =
  "no Chromium was found: install it (Debian: apt-get install chromium) or name it in CHROMIUM_PATH";

/** Path of a Chromium on this machine: CHROMIUM_PATH, or the first known name on the PATH; undefined where there is none. */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = environment.CHROMIUM_PATH;
  if (named) return existsSync(named) ? named : undefined;
  const folders = (environment.PATH ?? "").split(delimiter).concat("/usr/bin");
  return [...programs.flatMap((name) => folders.map((folder) => join(folder, name))), ...macPrograms].find(
    (path) => existsSync(path),
  );
}

/**
 * Starts a headless Chromium with a camera and microphones that are fake. Throws `chromiumMissing` where there is none. `loopback`
 * opens 127.0.0.1 to calls even on a machine without any network. Whoever asks for a device gets it, unless `areDevicesAskedFor`: then
 * the permissions of a context decide, as a person's answer does.
 */
export async function launchChromium({ loopback = true, areDevicesAskedFor = false } = {}): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(chromiumMissing);
  return chromium.launch({
    executablePath,
    args: [
      // As root, and in containers without user namespaces, its sandbox cannot start.
      "--no-sandbox",
      "--disable-dev-shm-usage",
      "--disable-gpu",
      "--mute-audio",
      "--autoplay-policy=no-user-gesture-required",
      "--use-fake-device-for-media-stream",
      ...(areDevicesAskedFor ? [] : ["--use-fake-ui-for-media-stream"]),
      // Pages of a test lie behind each other; all of them must run at full speed.
      "--disable-background-timer-throttling",
      "--disable-backgrounding-occluded-windows",
      "--disable-renderer-backgrounding",
      "--disable-features=WebRtcHideLocalIpsWithMdns,CalculateNativeWinOcclusion",
      ...(loopback ? ["--allow-loopback-in-peer-connection"] : []),
    ],
  });
}
