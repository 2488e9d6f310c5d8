/** The recordings page and the player page before a real browser, on one stack, with a recording that the engine's stand-in made. */
import { readFile } from "node:fs/promises";
import { ALL_FORMATS, BufferSource, Input } from "mediabunny";
import type { Page } from "playwright-core";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { findingsInEveryLook } from "./accessible.ts";
import { seeded, seededPassword, type Visitor } from "./people.ts";
import { hasBrowser, usePortal } from "./portal-under-test.ts";
import {
  failedRecording,
  manyRecordings,
  recordCall,
  recordingsInEveryState,
} from "./recordings/made-recordings.ts";
import { play, untilReady, untilVideo } from "./recordings/player.ts";

const mentorshipId = "33000000-0000-4000-8000-000000000001";
/** Amara and Dara: nothing of it is looked at but its length. */
const longMentorshipId = "33000000-0000-4000-8000-000000000002";
/** A busy machine takes its time. */
const patience = { timeout: 60_000 };
const slices = /\.ts\?/;
const playlist = /playlist\.m3u8\?/;

describe.skipIf(!hasBrowser())("Recordings before a real browser", { timeout: 240_000 }, () => {
  const under = usePortal();
  let recordingId: string;
  let mentor: Visitor;
  let page: Page;

  /** Opens the recording on this page anew; the browser forgets what it has kept of the last time. */
  const open = async (query = "") => {
    await page.goto("about:blank");
    await page.goto(`/recordings/${recordingId}${query}`);
  };
  const player = () => page.getByRole("region", { name: "Player", exact: true });

  beforeAll(async () => {
    // The call takes its time, and nobody looks at what is made meanwhile.
    [recordingId, mentor] = await Promise.all([
      recordCall(under.stack, seeded.mentor, mentorshipId),
      under.visitors.signedIn(seeded.mentor, `/video-call/${mentorshipId}/recordings`, {
        permissions: ["clipboard-read", "clipboard-write"],
      }),
      manyRecordings(under.sql, longMentorshipId, 10_000),
    ]);
    ({ page } = mentor);
    const gaps = [{ from_ms: 6_000, to_ms: 6_000, missing_ms: 14_000 }];
    await under.sql`update recordings set is_partial = true, gaps = ${under.sql.json(gaps)} where id = ${recordingId}`;
    // Large files would ask where to put them; a test cannot answer.
    await mentor.context.addInitScript(() => Reflect.deleteProperty(window, "showSaveFilePicker"));
  }, 300_000);

  // A story that fails must not leave its trouble to the next.
  afterEach(() => page.unrouteAll({ behavior: "ignoreErrors" }));

  test("the list shows it first, and a press opens the player", async () => {
    const list = page.getByRole("list", { name: "Recordings, newest first" });
    const first = list.getByRole("listitem").first();
    await expect.poll(() => first.textContent(), patience).toContain("Ready");
    expect(await first.getAttribute("aria-posinset")).toBe("1");
    expect(Number(await first.getAttribute("aria-setsize"))).toBeGreaterThanOrEqual(4);

    const since = performance.now();
    await first.getByRole("link", { name: /^Watch the recording of/ }).press("Enter");
    await untilReady(page);
    const ms = Math.round(performance.now() - since);
    console.log(
      `from the press to a picture that can be played: ${ms} ms (wanted: 1,500 on a machine that is idle)`,
    );
    // A limit, not a measure.
    expect(ms).toBeLessThan(120_000);
    expect(await page.title()).toContain("Recording of");
    // Who does not look hears first what has opened.
    expect(await page.evaluate("document.activeElement.textContent")).toContain("Recording of");
    expect(await findingsInEveryLook(page)).toEqual([]);
  });

  test("it plays to its end, and its pictures are decoded", async () => {
    await player().getByRole("button", { name: /^Play/ }).first().click();
    const early = await untilVideo(page, ({ time }) => time > 1, "playing");
    const end = await untilVideo(page, ({ hasEnded }) => hasEnded, "at its end");
    expect(early.duration).toBeGreaterThan(8);
    expect(end.time).toBeGreaterThan(8);
    expect(end.frames).toBeGreaterThan(50);
    expect(mentor.noise).toEqual([]);
  });

  test("keys move it, and speed it up", async () => {
    await page.locator("h1").focus();
    // Up and down are the page's.
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => page.evaluate("scrollY"), patience).toBeGreaterThan(0);
    await page.keyboard.press("j");
    const back = await untilVideo(page, ({ hasEnded, time }) => !hasEnded && time < 3, "ten seconds back");
    expect(back.rate).toBe(1);
    await page.keyboard.press("Shift+>");
    await untilVideo(page, ({ rate }) => rate === 1.25, "faster");
    await page.keyboard.press("k");
    await untilVideo(page, ({ isPaused }) => !isPaused, "playing");
    await page.keyboard.press("k");
    await untilVideo(page, ({ isPaused }) => isPaused, "paused");
  });

  test("a link names the second, and the address that is copied does too", async () => {
    await open("?t=0m5s");
    await untilVideo(page, ({ time, isReady }) => isReady && Math.abs(time - 5) < 0.3, "at 5 s");
    await page.getByRole("button", { name: "Copy link at 0:05" }).click();
    await expect
      .poll(() => page.evaluate(() => navigator.clipboard.readText()), patience)
      .toBe(`${under.address}/recordings/${recordingId}?t=5s`);
  });

  test("watching goes on where it was left, on another day", async () => {
    await play(page);
    await untilVideo(page, ({ time }) => time > 6, "past 6 s");
    await page.keyboard.press("k");
    const left = await untilVideo(page, ({ isPaused }) => isPaused, "paused");
    await expect
      .poll(async () => {
        const [row] =
          await under.sql`select position_ms from playback_positions where recording_id = ${recordingId}`;
        return Math.abs(Number(row?.position_ms ?? 0) / 1000 - left.time);
      }, patience)
      .toBeLessThan(0.2);
    await open();
    await untilVideo(
      page,
      ({ time, isReady }) => isReady && Math.abs(time - left.time) < 0.5,
      "where it was left",
    );
    await page.getByRole("button", { name: "Start over" }).click();
    await untilVideo(page, ({ time }) => time < 0.5, "at the beginning");
  });

  test("an address that ends in mid-play is renewed at the same second", async () => {
    let opened = 0;
    let refused = 0;
    await page.route("**/play-recording", (route) => {
      if (route.request().method() === "POST") opened += 1;
      return route.continue();
    });
    // The last slice is refused, as B2 refuses an address that has ended, until a new one was asked for.
    const last = await lastSlice(page);
    await page.route(last, (route) => {
      if (opened > 1) return route.continue();
      refused += 1;
      return route.fulfill({
        status: 403,
        headers: { "access-control-allow-origin": "*" },
        body: "<Error/>",
      });
    });
    opened = 0;
    await open("?t=4s");
    await play(page);
    await untilVideo(page, ({ time }) => time > 4.2, "past its beginning");
    await page.evaluate(() => {
      const video = document.querySelector("video");
      const jumps: number[] = [];
      let before = { at: performance.now(), time: video?.currentTime ?? 0 };
      video?.addEventListener("timeupdate", () => {
        // A busy machine tells late: only what the clock does not explain is a jump.
        const now = { at: performance.now(), time: video.currentTime };
        const moved = now.time - before.time;
        if (moved < -0.3 || moved > (now.at - before.at) / 1000 + 1) jumps.push(now.time);
        before = now;
      });
      Object.assign(window, { jumps });
    });
    await untilVideo(page, ({ hasEnded }) => hasEnded, "at its end");
    expect(refused).toBeGreaterThan(0);
    expect(opened).toBe(2);
    expect(await page.evaluate("window.jumps")).toEqual([]);
    await page.unrouteAll();
  });

  test("a store that does not answer is told, and one press goes on where it was", async () => {
    await page.route(slices, (route) => route.abort("connectionrefused"));
    await open("?t=4s");
    await page.getByText("The picture cannot be loaded").waitFor();
    await page.unrouteAll();
    await page.getByRole("button", { name: "Try again" }).click();
    await untilVideo(page, ({ time, isReady }) => isReady && Math.abs(time - 4) < 0.5, "at 4 s");
    await page.getByText("The picture cannot be loaded").waitFor({ state: "detached" });
  });

  test("several attempts play as one recording", async () => {
    await page.route(playlist, async (route) => {
      const answer = await route.fetch();
      const text = await answer.text();
      const body = text.slice(text.indexOf("#EXTINF"), text.indexOf("#EXT-X-ENDLIST"));
      await route.fulfill({
        response: answer,
        body: text.replace("#EXT-X-ENDLIST", `#EXT-X-DISCONTINUITY\n${body}#EXT-X-ENDLIST`),
      });
    });
    // The seam is at 9 s.
    await open("?t=8s");
    const { duration } = await untilVideo(
      page,
      ({ isReady, duration, time }) => isReady && duration > 17 && time > 7,
      "twice as long and at 8 s",
    );
    await play(page);
    await untilVideo(page, ({ time }) => time > duration / 2 + 1, "past the seam");
    await page.unrouteAll();
  });

  test("the file that is saved is a whole MP4, also where the browser has to put it together", async () => {
    const [row] = await under.sql`select duration_ms from recordings where id = ${recordingId}`;
    const expectWhole = ({ seconds, tracks }: Awaited<ReturnType<typeof savedMedia>>) => {
      expect(Math.abs(seconds - Number(row?.duration_ms) / 1000)).toBeLessThan(1);
      expect(tracks).toEqual(["audio aac", "video avc"]);
    };
    await open();
    expectWhole(await savedMedia(page));
    await page.getByText("The file is saved.").waitFor();

    await under.sql`update recording_files set deleted_at = now() where recording_id = ${recordingId} and kind = 'mp4'`;
    await open();
    expectWhole(await savedMedia(page));
    await under.sql`update recording_files set deleted_at = null where recording_id = ${recordingId}`;
  });

  test("what failed can be looked for again, and its status moves by itself", async () => {
    const failedId = await failedRecording(under.sql, mentorshipId);
    await page.goto(`/recordings/${failedId}`);
    await page.getByText("There is no picture of this call").waitFor();
    expect(await findingsInEveryLook(page)).toEqual([]);
    await page.getByRole("link", { name: "All recordings" }).click();
    const row = page.getByRole("article").filter({ hasText: "The files of the recording did not arrive." });
    await row.getByText("Its files may have arrived since: look for them again.").waitFor();
    await row.getByRole("button", { name: "Look again" }).click();
    await page.getByText("The files are looked for again.", { exact: true }).first().waitFor();
    await page.goto(`/recordings/${failedId}`);
    // Its status moves on by itself, maybe before one can read it: the story keeps it.
    await page.getByText("The files were looked for again", { exact: true }).waitFor();
  });

  test("filters and words live in the address, and nothing found is said as such", async () => {
    await recordingsInEveryState(under.sql, mentorshipId);
    await page.goto(`/video-call/${mentorshipId}/recordings?status=failed`);
    await expect.poll(() => page.getByRole("article").count(), patience).toBeGreaterThan(1);
    for (const row of await page.getByRole("article").all())
      expect(await row.textContent()).toContain("Failed");
    await page.getByRole("searchbox").fill("no such words anywhere");
    await page.getByText("No recording matches").waitFor();
    expect(new URL(page.url()).searchParams.get("q")).toBe("no such words anywhere");
    await page.getByRole("button", { name: "Clear filters" }).first().click();
    await page.getByText(/gaps, 0:17 missing/).waitFor();
    expect(new URL(page.url()).search).toBe("");
    expect(await findingsInEveryLook(page)).toEqual([]);
  });

  test("what is about to be deleted says so, and is kept longer by a press and an answer", async () => {
    const row = page.getByRole("article").filter({ hasText: "Deleted in 5 days" });
    const keep = row.getByRole("button", { name: "Keep longer" });
    await keep.click();
    const question = page.getByRole("dialog", { name: "Keep this recording longer?" });
    await question.getByText(/^It is kept until/).waitFor();
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "detached" });
    expect(await keep.evaluate((button) => button === document.activeElement)).toBe(true);
    await page.keyboard.press("Enter");
    await question.getByRole("button", { name: "Keep it" }).click();
    await question.waitFor({ state: "detached" });
    await row.waitFor({ state: "detached" });
    await page.getByText("It is kept longer.", { exact: true }).first().waitFor();
    await page
      .getByRole("article")
      .filter({ hasText: "Sound only" })
      .getByText(/^Kept until/)
      .waitFor();
  });

  test("what is missing is named, and a press goes to just before it", async () => {
    await open();
    await untilReady(page);
    await page.getByRole("button", { name: "At 0:06, 14 sec missing" }).click();
    await untilVideo(page, ({ time }) => Math.abs(time - 3) < 0.3, "at 3 s");
  });

  test("a session that ends while one watches is asked for over the player, which goes on where it was", async () => {
    const mentee = await under.visitors.signedIn(seeded.mentee, `/recordings/${recordingId}`);
    const { page } = mentee;
    await untilReady(page);
    // The last slice is kept back until nobody is signed in; then it is refused, as the store refuses an address that has ended, until
    // somebody who is signed in has asked for another.
    const isOver = Promise.withResolvers<void>();
    let isSignedIn = false;
    let isRenewed = false;
    page.on("response", (answer) => {
      if (answer.url().endsWith("/play-recording") && answer.request().method() === "POST")
        isRenewed ||= isSignedIn && answer.ok();
    });
    await page.route(await lastSlice(page), async (route) => {
      if (isRenewed) return route.continue();
      await isOver.promise;
      await route.fulfill({
        status: 403,
        headers: { "access-control-allow-origin": "*" },
        body: "<Error/>",
      });
    });
    await page.goto("about:blank");
    await page.goto(`/recordings/${recordingId}?t=4s`);
    await play(page);
    await untilVideo(page, ({ time }) => time > 4.2, "past its beginning");
    await under.sql`delete from auth.sessions where user_id = (select id from auth.users where email = ${seeded.mentee})`;
    await page.evaluate(
      "{ const key = 'portal-session'; const s = JSON.parse(localStorage[key]); s.expires_at = 1; localStorage[key] = JSON.stringify(s); window.dispatchEvent(new Event('online')); }",
    );
    const dialog = page.getByRole("dialog", { name: "Sign in again" });
    await dialog.waitFor();
    isOver.resolve();
    await page.locator("main").getByText("Your session has ended.").waitFor();
    const { isPaused, time } = await untilVideo(page, () => true, "there");
    expect(isPaused).toBe(false);
    await page.evaluate(() => {
      const times: number[] = [];
      Object.assign(window, { times });
      document.addEventListener(
        "timeupdate",
        ({ target }) => times.push((target as HTMLVideoElement).currentTime),
        true,
      );
    });
    isSignedIn = true;
    await dialog.getByLabel("Password").fill(seededPassword);
    await dialog.getByRole("button", { name: "Sign in", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    const end = await untilVideo(page, ({ hasEnded }) => hasEnded, "at its end");
    expect(end.time).toBeGreaterThan(8);
    expect(isRenewed).toBe(true);
    // It did not begin anew on the way.
    const times = z.array(z.number()).parse(await page.evaluate("window.times"));
    expect(Math.min(...times)).toBeGreaterThan(time - 0.5);
    await mentee.context.close();
  });

  test("ten thousand recordings scroll without a stall", async () => {
    await page.goto(`/video-call/${longMentorshipId}/recordings`);
    await page.getByText(/10,00\d recordings/).waitFor();
    const frames = await page.evaluate(async () => {
      const lengths: number[] = [];
      let most = 0;
      let before = performance.now();
      const until = before + 25_000;
      while (performance.now() < until) {
        window.scrollBy(0, 600);
        const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
        lengths.push(now - before);
        before = now;
        most = Math.max(most, document.querySelectorAll("main li").length);
        const last = Number([...document.querySelectorAll("main li")].at(-1)?.getAttribute("aria-posinset"));
        if (last > 1_000) break;
      }
      lengths.sort((a, b) => a - b);
      const at = (share: number) => Math.round(lengths[Math.floor(lengths.length * share)] ?? 0);
      return { frames: lengths.length, p50: at(0.5), p95: at(0.95), most };
    });
    console.log(
      `scrolled up to a thousand rows in ${frames.frames} frames: p50 ${frames.p50} ms, p95 ${frames.p95} ms`,
    );
    expect(frames.most).toBeLessThan(60);
    expect(frames.frames).toBeGreaterThan(10);
    // Not a measure: a busy machine is that slow, a list that draws all its rows much slower.
    expect(frames.p50).toBeLessThan(2_000);
  });

  test("a stranger gets nothing", async () => {
    const stranger = await under.visitors.signedIn(seeded.thirdMentee, `/recordings/${recordingId}`);
    await stranger.page.getByText("There is no such recording").waitFor();
    await stranger.page.goto(`/video-call/${mentorshipId}/recordings`);
    await stranger.page.getByText("There is nothing here for you").waitFor();
    expect(await stranger.page.locator("video, article").count()).toBe(0);
    await stranger.context.close();
  });

  test("deleting asks first, and both see it go", async () => {
    const mentee = await under.visitors.signedIn(seeded.mentee, `/recordings/${recordingId}`);
    await untilReady(mentee.page);
    await open();
    await untilReady(page);
    // As somebody does it who has no pointer.
    const ask = page.getByRole("button", { name: "Delete" });
    const question = page.getByRole("alertdialog");
    await ask.press("Enter");
    await question.waitFor();
    expect(await findingsInEveryLook(page)).toEqual([]);
    // The player's keys are not heard in it.
    await page.keyboard.press("k");
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "detached" });
    expect(await ask.evaluate((button) => button === document.activeElement)).toBe(true);
    expect((await untilReady(page)).isPaused).toBe(true);
    await ask.press("Enter");
    await question.getByRole("button", { name: "Delete for both" }).press("Enter");
    await page.getByText("This recording was deleted").waitFor();
    await question.waitFor({ state: "detached" });
    // What asked is gone: the focus is with what it was about.
    await expect.poll(() => page.evaluate("document.activeElement.tagName"), patience).toBe("H1");
    await mentee.page.getByText("This recording was deleted").waitFor();
    await mentee.context.close();
  });
});

/** The address of the last slice that the page's recording has, without its signature. */
async function lastSlice(page: Page): Promise<RegExp> {
  const asked = page.waitForResponse(playlist);
  await page.reload();
  const text = await (await asked).text();
  const last = text.split("\n").findLast((line) => line.startsWith("http")) ?? "";
  return new RegExp(`${new URL(last).pathname.replaceAll(".", "\\.")}\\?`);
}

/** Presses "Download" and looks into what came: its length, and its tracks. */
async function savedMedia(page: Page) {
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: /^Download/ }).click();
  const download = await coming;
  expect(download.suggestedFilename()).toMatch(/^Recording .*\.mp4$/);
  const bytes = await readFile(await download.path());
  using input = new Input({ source: new BufferSource(bytes), formats: ALL_FORMATS });
  const tracks = (await input.getTracks()).map(({ type, codec }) => `${type} ${codec}`);
  return { seconds: await input.computeDuration(), tracks: tracks.sort() };
}
