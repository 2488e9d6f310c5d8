import { readProcess } from "./process-groups.ts";

const lookEveryMs = 500;

/**
 * Calls `onGone` once when the npm that runs this process is no more. npm passes a SIGTERM on to its shell only, which
 * dies without telling us: `kill` on a background `npm start` would leave the whole stack running. Does nothing when
 * npm did not start us.
 */
export function whenNpmIsGone(onGone: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  // npm runs a shell, and the shell runs us: either may be the one that is killed.
  const shell = process.ppid;
  const npm = readProcess(shell)?.parent;
  const timer = setInterval(() => {
    if (process.ppid === shell && readProcess(shell)?.parent === npm) return;
    clearInterval(timer);
    onGone();
  }, lookEveryMs);
  timer.unref();
}
