import type { Browser, Page } from "playwright-core";
import type { CallCredentials } from "../../web/src/calls/transport.ts";
import type { ModuleServer } from "./module-server.ts";
import type { CallPage } from "./pages/call-page.ts";
import type { ClockOrder } from "./pages/clock-media.ts";

/** Clocks that can be told apart: by the colour of their ground and the pitch of their beep. */
export const clocks: readonly Pick<ClockOrder, "colour" | "pitch" | "beepAtMs">[] = [
  { colour: "#a02020", pitch: 1_000, beepAtMs: 0 },
  { colour: "#2040a0", pitch: 1_500, beepAtMs: 500 },
  { colour: "#208030", pitch: 2_000, beepAtMs: 250 },
  { colour: "#907010", pitch: 2_500, beepAtMs: 750 },
];

/** A browser's page that holds a call. */
export interface PersonOnPage {
  uid: number;
  page: Page;
  /** Runs one of the page's own functions (CallPage) there. */
  do<Result>(act: (call: CallPage) => Result | Promise<Result>): Promise<Result>;
}

/**
 * Opens a page and joins a call on it. With a clock, its camera shows the time and its microphone beeps. Resolves once its media can
 * flow, and what it sends has been made for a moment.
 */
export async function joinOnPage(
  browser: Browser,
  modules: ModuleServer,
  credentials: CallCredentials,
  given: { name: string; clock?: ClockOrder },
): Promise<PersonOnPage> {
  const page = await browser.newPage();
  page.setDefaultTimeout(180_000);
  await page.goto(`${modules.address}/page?module=/browser/call-page.ts`);
  await page.waitForFunction(() => window.isReady);
  const order = [credentials, given.name, given.clock] as const;
  await page.evaluate(([who, name, clock]) => window.call.join(who, name, clock), order);
  const run = page.evaluate.bind(page) as (script: string) => Promise<unknown>;
  return {
    uid: credentials.uid,
    page,
    do: async <Result>(act: (call: CallPage) => Result | Promise<Result>) =>
      (await run(`(${act.toString()})(window.call)`)) as Result,
  };
}
