import type { Page } from "playwright-core";
import { seeded, type Visitor, type Visitors } from "./people.ts";
import { play, untilVideo } from "./recordings/player.ts";

const callOfAmaraAndChidi = "/video-call/33000000-0000-4000-8000-000000000001";

/** How long is recorded: enough for a list and a player to look like those of a call. */
const recordedMs = 8_000;

type Looks = readonly [mentor: Parameters<Visitors["nobody"]>[1], mentee: Parameters<Visitors["nobody"]>[1]];

const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name });

/**
 * Two people hold a call and record it; `take` is called with the page of each while it is recorded (`call`), while its recording
 * plays (`player`), and for the list that it stands in (`recordings`).
 */
export async function recordCallBefore(
  visitors: Visitors,
  looks: Looks,
  take: (name: "call" | "player" | "recordings", pages: readonly [Page, Page]) => Promise<void>,
): Promise<void> {
  const mentor = await visitors.signedIn(seeded.mentor, callOfAmaraAndChidi, looks[0]);
  const mentee = await visitors.signedIn(seeded.mentee, callOfAmaraAndChidi, looks[1]);
  const pages = [mentor.page, mentee.page] as const;
  for (const { page } of [mentor, mentee]) {
    await button(page, "Join call").click();
    await button(page, "Leave call").waitFor();
  }
  await Promise.all([pictureMoves(mentor.page, "Chidi"), pictureMoves(mentee.page, "Amara")]);

  await button(mentor.page, "Start recording").click();
  await button(mentee.page, "Continue").click();
  await Promise.all(pages.map((page) => page.locator("[data-stage=recording]").waitFor()));
  await mentor.page.waitForTimeout(recordedMs);
  await take("call", pages);

  await button(mentor.page, "Stop recording").click();
  const watch = (page: Page) => page.getByRole("link", { name: "Watch it" }).first();
  await Promise.all(pages.map((page) => watch(page).waitFor()));
  const address = await watch(mentor.page).getAttribute("href");
  await Promise.all(pages.map((page) => button(page, "Leave call").click()));
  await inEach([mentor, mentee], async ({ page }) => {
    await page.goto(`${callOfAmaraAndChidi}/recordings`);
    await page.getByRole("article").first().waitFor();
  });
  await take("recordings", pages);
  await inEach([mentor, mentee], async ({ page }) => {
    await page.goto(address ?? "");
    await play(page);
    await untilVideo(page, ({ time }) => time > 2, "two seconds old");
  });
  await take("player", pages);
  await Promise.all([mentor.context.close(), mentee.context.close()]);
}

const inEach = (visitors: readonly Visitor[], act: (visitor: Visitor) => Promise<void>) =>
  Promise.all(visitors.map(act));

const pictureMoves = (page: Page, name: string) =>
  page
    .getByLabel(`Picture of ${name}`)
    .evaluate((video) =>
      new Promise((resolve) => (video as HTMLVideoElement).requestVideoFrameCallback(resolve)).then(
        () => true,
      ),
    );
