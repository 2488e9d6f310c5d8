import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { joinCall, type Pair } from "../../integration/people.ts";
import { eventually } from "../../integration/watching.ts";
import type { Visitor } from "../people.ts";
import { picturesMove } from "../pictures.ts";
import type { PortalUnderTest } from "../portal-under-test.ts";
import { arrive, button, join, patience, withSetting } from "./at-the-call.ts";
import { listenToRealtime, renewSession, tokenThatEnds } from "./short-lived-session.ts";

/** Long enough for a page to open on a busy machine, short enough to wait for what is left of it. */
const firstTokenSeconds = 30;
/** As if the call had lasted for hours already: somebody has joined by then, and need not wait long. */
const firstSeatSeconds = 10;

/** One call of two people through what happens in long calls; each story takes it up where the one before left it. */
export function describeCallsThatLast(portal: PortalUnderTest): void {
  describe("A call goes on", () => {
    let pair: Pair;
    let mentor: Visitor;
    let mentee: Visitor;
    let heard: string[];
    let endsAtMs: number;
    /** Connections of the mentor's page to the media server; the next one waits while it is held. */
    const connections: { lose(): void }[] = [];
    let held: Promise<void> = Promise.resolve();
    let seats = 0;
    let atJoin = { seats: 0, connections: 0 };

    const pictureOf = ({ page }: Visitor, name: string) => page.getByLabel(`Picture of ${name}`);
    const isHere = ({ page }: Visitor) => page.getByRole("region", { name: "Who is here" });

    beforeAll(async () => {
      pair = await portal.people.pair();
      const call = await joinCall(pair.mentee, pair.mentorshipId);
      const first = await tokenThatEnds(portal, pair.mentor, firstTokenSeconds);
      ({ endsAtMs } = first);
      mentor = await arrive(portal, pair.mentor, { accessToken: first.accessToken });
      mentee = await arrive(portal, pair.mentee, { permissions: [] });
      heard = listenToRealtime(mentor.page);
      await mentor.page.routeWebSocket(/\/calls$/, async (page) => {
        await held;
        const server = page.connectToServer();
        connections.push({
          lose: () => {
            void page.close({ code: 3_001, reason: "lost" });
            void server.close({ code: 3_001, reason: "lost" });
          },
        });
      });
      mentor.page.on("request", (request) => {
        if (request.url().endsWith("/call-token") && request.method() === "POST") seats += 1;
      });
      await mentor.page.goto(`/video-call/${pair.mentorshipId}`);
      // It listens by the token that will end, before it gets another one.
      const isListening = (line: string) =>
        line.startsWith(`realtime:call:${call.id} phx_reply`) && line.includes('"status":"ok"');
      await eventually(() => heard.some(isListening), true);
      expect(Date.now()).toBeLessThan(endsAtMs);
      await renewSession(mentor.page);
    }, 120_000);
    afterAll(() => Promise.all([mentor?.context.close(), mentee?.context.close()]));

    test("with somebody who refuses their devices: they are told what to do, come in all the same, and may change their mind", async () => {
      const { page, context } = mentee;
      await page.goto(`/video-call/${pair.mentorshipId}`);
      for (const device of ["camera", "microphone"])
        await page
          .getByText(`Your browser does not let this page use the ${device}. Allow it beside the address`)
          .waitFor();
      expect(await button(page, "Camera").getAttribute("aria-pressed")).toBe("false");
      await page.getByText("Your camera is off").waitFor();

      await withSetting(portal, "caller_token_lifetime", firstSeatSeconds, () => join(mentor));
      atJoin = { seats, connections: connections.length };
      await join(mentee);
      await isHere(mentor).getByText("Mentee: in the call").waitFor();
      await picturesMove(pictureOf(mentee, "Mentor"));
      expect(await pictureOf(mentor, "Mentee").count()).toBe(0);

      await button(page, "Camera").click();
      await page
        .getByRole("alert")
        .getByText("Your browser does not let this page use the camera.")
        .waitFor();
      await context.grantPermissions(["camera", "microphone"]);
      await button(page, "Camera").click();
      await picturesMove(pictureOf(mentor, "Mentee"));
      expect(await button(page, "Camera").getAttribute("aria-pressed")).toBe("true");
    });

    test("when the permission to be in it ends, and when its connection breaks: pictures come back by themselves", async () => {
      // The media server sends away whose token has ended; the page comes back with a new one.
      await expect.poll(() => seats, patience).toBeGreaterThan(atJoin.seats);
      await expect.poll(() => connections.length, patience).toBeGreaterThan(atJoin.connections);
      await picturesMove(pictureOf(mentor, "Mentee"));
      await picturesMove(pictureOf(mentee, "Mentor"));

      const notice = mentor.page.getByText("The connection was lost. Connecting again");
      const hold = Promise.withResolvers<void>();
      held = hold.promise;
      connections.at(-1)?.lose();
      await notice.waitFor();
      // Nobody left: the other person's page says so too.
      await mentee.page.getByText("Connecting picture and sound").waitFor();
      hold.resolve();
      await Promise.all([
        picturesMove(pictureOf(mentor, "Mentee")),
        picturesMove(pictureOf(mentee, "Mentor")),
      ]);
      await notice.waitFor({ state: "detached" });
    });

    test("when the session of its beginning has ended: what the other person does is still pushed to the page", async () => {
      await expect
        .poll(() => Date.now(), { timeout: (firstTokenSeconds + 60) * 1000, interval: 200 })
        .toBeGreaterThan(endsAtMs + 1_000);
      const before = heard.length;
      await button(mentee.page, "Start recording").click();
      const question = mentor.page.getByRole("alertdialog", { name: "This call is being recorded" });
      await question.getByRole("button", { name: "Continue" }).click();
      await mentor.page.getByText(/^Recording\d+:\d\d$/).waitFor();
      const isAboutTheCall = (line: string) => line.startsWith("realtime:call:");
      expect(heard.slice(before).filter(isAboutTheCall).join("\n")).toContain("call.changed");
      // Nor had its subscription ended meanwhile, to be made again.
      expect(heard.filter((line) => isAboutTheCall(line) && /phx_close|expired/.test(line))).toEqual([]);
    });

    test("when a browser dies: the other person sees at once that nobody is there, and can stop and go", async () => {
      const crashed = mentee.page.waitForEvent("crash");
      void mentee.page.goto("chrome://crash").catch(() => undefined);
      await crashed;
      await pictureOf(mentor, "Mentee").waitFor({ state: "detached" });
      await mentor.page.getByText("Waiting for Mentee").waitFor();
      await isHere(mentor).getByText("Mentee: not here").waitFor();
      await button(mentor.page, "Stop recording").click();
      await mentor.page.getByRole("link", { name: "Watch it" }).waitFor();
      await button(mentor.page, "Leave call").click();
      // The last one out ends the call.
      await mentor.page.getByText("The call has ended").waitFor();
      expect([...mentor.noise, ...mentee.noise]).toEqual([]);
    });
  });
}
