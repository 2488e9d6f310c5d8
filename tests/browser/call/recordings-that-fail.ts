import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import type { PortalUnderTest } from "../portal-under-test.ts";
import { arrive, button, join, openChannel, patience, withSetting } from "./at-the-call.ts";

/** What the status of the page says to screen readers. */
const said = (page: Page) => page.getByRole("status").allTextContents();

/** A recording that does not come about is no secret, and no end: neither in the call nor on the list. */
export function describeRecordingsThatFail(portal: PortalUnderTest): void {
  describe("A recording that does not come about", () => {
    test("says why in the call and on the list, leaves nothing running, and another one can be started", async () => {
      const { mentor, mentee, mentorshipId } = await portal.people.pair();
      const caller = await arrive(portal, mentor);
      const watcher = await arrive(portal, mentee);
      await Promise.all([
        caller.page.goto(`/video-call/${mentorshipId}`),
        watcher.page.goto(`/video-call/${mentorshipId}/recordings`),
      ]);
      await join(caller);
      const cname = await openChannel(portal, mentorshipId);
      const newest = watcher.page.getByRole("article").first();
      const start = async () => {
        await button(caller.page, "Start recording").click();
      };

      /** Both are told of it, nothing records, and the button is there again. */
      const expectFailure = async (inTheCall: string, onTheList: string) => {
        await caller.page.getByText(inTheCall).waitFor();
        await expect.poll(() => newest.textContent(), patience).toContain(onTheList);
        expect(await newest.textContent()).toContain("Failed");
        await expect.poll(() => said(caller.page), patience).toContain("The recording failed.");
        await portal.engine.untilNothingRuns(cname, patience.timeout);
        await button(caller.page, "Start recording").waitFor();
      };

      await portal.engine.addFault({ kind: "answer", call: "acquire", status: 400, code: 400, cname });
      await start();
      await expectFailure(
        "Recording is not switched on for our account. Tell an administrator",
        "Recording is not switched on for our account. Tell an administrator",
      );

      await portal.engine.addFault({ kind: "refuse_storage", cname, times: 100 });
      await start();
      await expectFailure(
        "The recorder could not use the storage. Tell an administrator",
        "The recorder could not use the storage. Tell an administrator",
      );
      await portal.engine.clearFaults();

      await withSetting(portal, "concurrent_tasks", 0, async () => {
        await start();
        await caller.page.getByText("place 1 in the queue").waitFor();
        await newest.getByText("Next in line for a recorder").waitFor();
        await expect
          .poll(() => said(caller.page), patience)
          .toContain("The recording waits for a free recorder.");
        await button(caller.page, "Cancel recording").click();
        await expectFailure("The recording was stopped before it began.", "Record again in the call.");
      });
      expect(await watcher.page.getByRole("article").count()).toBe(3);
      expect([...caller.noise, ...watcher.noise]).toEqual([]);
      await Promise.all([caller.context.close(), watcher.context.close()]);
    });

    test("a stranger learns nothing at the address of a call, and opens nothing", async () => {
      const [{ mentorshipId }, stranger] = await Promise.all([
        portal.people.pair(),
        portal.people.stranger(),
      ]);
      const { page, noise, context } = await arrive(portal, stranger);
      const asked: string[] = [];
      page.on("request", (request) => asked.push(new URL(request.url()).pathname));
      page.on("websocket", (socket) => asked.push(new URL(socket.url()).pathname));
      await page.goto(`/video-call/${mentorshipId}`);
      await page.getByText("There is no active mentorship of yours here.").waitFor();
      await page.getByRole("link", { name: "Go to the home page" }).waitFor();
      expect(await page.getByRole("button").count()).toBe(0);
      expect(await page.locator("video").count()).toBe(0);
      expect(asked.filter((path) => /call-token|join_call|video_calls|\/calls$/.test(path))).toEqual([]);
      const [calls] = await portal.sql`
        select count(*)::integer as count from public.video_calls where mentorship_id = ${mentorshipId}`;
      expect(calls?.count).toBe(0);
      expect(noise).toEqual([]);
      await context.close();
    });
  });
}
