import { setTimeout as sleep } from "node:timers/promises";
import { type Log, reasonOf } from "../stack/part.ts";

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5_000;

/**
 * Opens what was lost with the database, trying until it is back: after a quarter of a second first, every five seconds at last.
 *
 * @returns what `open` gave, or undefined when `ending` was aborted first.
 */
export async function openAgain<Opened>(
  open: () => Promise<Opened>,
  ending: AbortSignal,
  log: Log,
): Promise<Opened | undefined> {
  for (let wait = FIRST_RETRY_MS; !ending.aborted; wait = Math.min(wait * 2, LONGEST_RETRY_MS)) {
    try {
      const opened = await open();
      log("connected to the database again");
      return opened;
    } catch (error) {
      log(`the database cannot be reached: ${reasonOf(error)}`, { retryInMs: wait });
      await sleep(wait, undefined, { signal: ending }).catch(() => undefined);
    }
  }
  return undefined;
}
