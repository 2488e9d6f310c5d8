/** Nothing here knows an address, a name or a password that was not read, nor an element by anything but what a person sees or hears of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createVisitors, signInOn, type Visitor, type Visitors } from "./people.ts";
import { picturesMove, shareOfColour, strongestColour } from "./pictures.ts";
import { hasBrowser } from "./portal-under-test.ts";
import { type StartedByHand, startByHand } from "./started-by-hand.ts";

/** A busy machine takes its time. */
const patience = { timeout: 60_000 };

const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name });
const link = (page: Page, name: string | RegExp) => page.getByRole("link", { name });

/** The name by which the portal welcomes somebody. */
async function nameOf(page: Page): Promise<string> {
  const text = await page.getByRole("heading", { name: /^Welcome back, / }).textContent();
  return text?.split(", ")[1] ?? "";
}

async function signOutOn(page: Page): Promise<void> {
  await button(page, /^Account of/).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
}

describe.skipIf(!hasBrowser())("A newcomer", { timeout: 300_000 }, () => {
  let dataDir: string;
  let stack: StartedByHand | undefined;
  let visitors: Visitors | undefined;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "newcomer-"));
    stack = await startByHand(dataDir);
    visitors = await createVisitors(stack.printed.portal);
  }, 120_000);
  afterAll(async () => {
    await visitors?.leave();
    const end = await stack?.end();
    await rm(dataDir, { recursive: true, force: true });
    if (stack !== undefined) expect(end).toEqual({ lastLine: "ended; nothing of it is running", code: 0 });
  }, 60_000);

  /** Opens the printed address in a browser of its own and signs in as the printed person. */
  async function arrive(email: string | undefined): Promise<Visitor> {
    if (visitors === undefined || stack === undefined || email === undefined)
      throw new Error("two people are to be named");
    const visitor = await visitors.nobody();
    await signInOn(visitor.page, email, stack.printed.password);
    return visitor;
  }

  test("records a call of two people, watches it to its end, and goes", async () => {
    const [first, second] = stack?.printed.people ?? [];
    const one = await arrive(first);
    const other = await arrive(second);
    const [ownName, otherName] = await Promise.all([nameOf(one.page), nameOf(other.page)]);

    await link(one.page, `Start a call with ${otherName}`).click();
    await button(one.page, "Join call").click();
    // They need no invitation: the call shows up on their home page.
    await link(other.page, `Join the call with ${ownName}`).first().click();
    await button(other.page, "Join call").click();
    const [, picture] = await Promise.all([
      picturesMove(other.page.getByLabel(`Picture of ${ownName}`)),
      picturesMove(one.page.getByLabel(`Picture of ${otherName}`)),
    ]);
    const sent = await strongestColour(picture);

    await button(one.page, "Start recording").click();
    await other.page
      .getByRole("alertdialog", { name: "This call is being recorded" })
      .getByRole("button", { name: "Continue" })
      .click();
    await Promise.all([one, other].map(({ page }) => page.getByText(/^Recording\d+:\d\d$/).waitFor()));
    // Something to watch: as long as it takes to read the clock.
    await one.page.getByText(/^Recording\d+:(0[4-9]|[1-5]\d)$/).waitFor();
    await button(one.page, "Stop recording").click();
    await link(one.page, "Watch it").click();

    await watchToTheEnd(one.page.getByRole("region", { name: "Player", exact: true }), sent);
    await signOutOn(one.page);

    await button(other.page, "Leave call").click();
    await link(other.page, "Back to the home page").first().click();
    await link(other.page, `Recordings with ${ownName}`).click();
    await link(other.page, /^Watch the recording of/)
      .first()
      .waitFor();
    await signOutOn(other.page);
    expect([...one.noise, ...other.noise]).toEqual([]);
    await Promise.all([one.context.close(), other.context.close()]);
  });

  /** Presses play, and sees pictures of what was sent until it is over. */
  async function watchToTheEnd(player: Locator, sent: readonly number[]): Promise<void> {
    await player.getByRole("button", { name: /^Play/ }).first().click();
    const video = player.locator("video");
    await picturesMove(video);
    await expect.poll(() => shareOfColour(video, sent), patience).toBeGreaterThan(0.2);
    const facts = () =>
      video.evaluate((element: HTMLVideoElement) => ({
        isOver: element.ended,
        seconds: element.currentTime,
        frames: element.getVideoPlaybackQuality().totalVideoFrames,
      }));
    await expect.poll(async () => (await facts()).isOver, patience).toBe(true);
    const end = await facts();
    expect(end.seconds).toBeGreaterThan(3);
    expect(end.frames).toBeGreaterThan(20);
  }
});
