import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { Browser } from "playwright-core";
import { z } from "zod";
import { cellsFor, layouts } from "../local/agora/capture/layout.ts";
import { clocks, joinOnPage, type PersonOnPage } from "../local/browser/call-people.ts";
import { launchChromium } from "../local/browser/chromium.ts";
import { type ModuleServer, serveModules } from "../local/browser/module-server.ts";
import type { PlayedBack, PlayOrder } from "../local/browser/pages/play-page.ts";
import { pointsOf, sizeOf } from "../local/browser/recorded-clock.ts";
import type { CallCredentials } from "../web/src/calls/transport.ts";
import { askForAddresses, fetchAll } from "./check-playback.ts";
import { type ClockReport, compareClocks } from "./clock-report.ts";
import { demoPair } from "./people.ts";
import { type CallOrder, type CallResult, recordOneCall, signIn } from "./record-one-call.ts";

/** What each page sends. */
const camera = { width: 640, height: 360, fps: 15 };
const names = ["Mentor", "Mentee"];
/** Until each page shows so many pictures of the other one, nothing is recorded. */
const seenPictures = 15;
/** For pages on a machine that has no time for them. */
const longestWaitMs = 180_000;
const layoutNumbers: Record<string, number> = {
  floating: layouts.floating,
  best_fit: layouts.bestFit,
  vertical: layouts.vertical,
};
const recordedAs = z.looseObject({ id: z.uuid(), layout: z.string() });

type Backend = Pick<CallOrder, "url" | "publishableKey"> & { secretKey: string };

/**
 * Two headless pages hold a call whose cameras show the time, a third one plays what was recorded of it; how far the recorded clocks are
 * from the wall's is the report. Throws `chromiumMissing` where there is no browser.
 */
export async function recordBrowserCall(
  backend: Backend,
  order: { seconds: number; signal: AbortSignal },
  onStatus: (status: string) => void,
): Promise<CallResult & { clocks: ClockReport | undefined }> {
  const browser = await launchChromium();
  const modules = await serveModules();
  const { mentorshipId, mentee } = await demoPair(backend);
  try {
    const attend = async (callId: string, mentor: SupabaseClient) => {
      onStatus("two pages join");
      const pages: PersonOnPage[] = [];
      // One after the other: the layout goes by the order of joining.
      for (const client of [mentor, mentee]) {
        pages.push(await attendOnPage(browser, modules, client, callId, pages.length));
      }
      await untilEachSeesTheOther(pages);
      return {
        async leave() {
          for (const person of pages) await person.do((call) => call.leave());
        },
      };
    };
    const result = await recordOneCall({ ...backend, ...order, mentorshipId, attend }, onStatus);
    if (result.problems.length > 0) return { ...result, clocks: undefined };
    onStatus("playing on a third page");
    const report = await playAndCompare(backend, browser, modules, result);
    result.problems.push(...report.problems);
    onStatus("done");
    return { ...result, clocks: report };
  } finally {
    await browser.close();
    await modules.close();
    await mentee.auth.signOut({ scope: "local" });
  }
}

async function attendOnPage(
  browser: Browser,
  modules: ModuleServer,
  client: SupabaseClient,
  callId: string,
  index: number,
): Promise<PersonOnPage> {
  const { data, error } = await client.functions.invoke<CallCredentials>("call-token", {
    body: { call_id: callId },
  });
  if (error !== null || data === null) throw new Error(`call-token gave no way into the call: ${error}`);
  const clock = clocks[index];
  if (!clock) throw new Error("there are not that many clocks");
  return joinOnPage(browser, modules, data, { name: names[index] ?? "", clock: { ...clock, ...camera } });
}

async function untilEachSeesTheOther(people: PersonOnPage[]): Promise<void> {
  for (const { page, uid } of people) {
    const others = people.map((person) => person.uid).filter((other) => other !== uid);
    await page.waitForFunction(
      ([wanted, least]) => wanted.every((other) => window.call.picturesOf(other, "camera").frames > least),
      [others, seenPictures] as const,
    );
  }
}

async function playAndCompare(
  backend: Backend,
  browser: Browser,
  modules: ModuleServer,
  result: CallResult,
): Promise<ClockReport> {
  const { startedAt, recordedMs } = result;
  if (startedAt === undefined || recordedMs === undefined)
    throw new Error("when it was recorded is not known");
  const { id: recordingId, layout } = recordedAs.parse(result.recording);
  const viewer = createClient(backend.url, backend.publishableKey, { auth: { persistSession: false } });
  try {
    const accessToken = await signIn(viewer);
    const { mp4 } = await askForAddresses({ ...backend, accessToken, recordingId });
    const { bytes } = await fetchAll(mp4[0]?.url ?? "");
    const order = { ...(await sizeOf(bytes)), mixedVideoLayout: layoutNumbers[layout] ?? layouts.bestFit };
    const people = clocks.slice(0, names.length);
    const cells = cellsFor(
      order,
      people.map((_, uid) => ({ uid, hasScreen: false })),
    ).map((cell) => ({ cell, aspect: camera.width / camera.height }));
    const points = cells.map(pointsOf);
    const pitches = people.map(({ pitch }) => pitch);
    const played = await playOnPage(browser, modules, {
      url: backend.url,
      publishableKey: backend.publishableKey,
      accessToken,
      recordingId,
      points: points.flat(),
      pitches,
    });
    return await compareClocks({ mp4: bytes, cells, people, names, played, startedAt, recordedMs });
  } finally {
    await viewer.auth.signOut({ scope: "local" });
    viewer.realtime.disconnect();
  }
}

async function playOnPage(browser: Browser, modules: ModuleServer, order: PlayOrder): Promise<PlayedBack> {
  const page = await browser.newPage();
  page.setDefaultTimeout(longestWaitMs);
  await page.goto(`${modules.address}/page?module=/browser/play-page.ts`);
  await page.waitForFunction(() => window.isReady);
  return page.evaluate((given) => window.playRecording(given), order);
}
