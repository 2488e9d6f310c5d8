import { randomUUID } from "node:crypto";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { runbooks } from "../../web/src/texts/alerts.ts";
import { eventually } from "../integration/watching.ts";
import { findingsInEveryLook, seriousFindings } from "./accessible.ts";
import { seeded, seededPassword, signInOn } from "./people.ts";
import { hasBrowser, usePortal } from "./portal-under-test.ts";

const amaraAndChidi = "33000000-0000-4000-8000-000000000001";
const recordingOfAmaraAndChidi = "55000000-0000-4000-8000-000000000003";

// A limit, not a measure: a story opens several pages, and each of them asks a machine that may be busy.
describe.skipIf(!hasBrowser())("in a real browser", { timeout: 240_000 }, () => {
  const under = usePortal();

  const heading = (page: Page, name: string | RegExp) => page.getByRole("heading", { name });
  const homeOf = (page: Page) => heading(page, /^Welcome back/).waitFor();

  /** Calls RPCs as the seeded mentor, who sits somewhere else. */
  async function mentorOverRest(): Promise<(rpc: string, body: object) => Promise<unknown>> {
    const { url, publishableKey } = under.stack;
    const post = async (path: string, body: object, token?: string): Promise<unknown> => {
      const headers = {
        apikey: publishableKey,
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      };
      const response = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return await response.json();
    };
    const session = await post("/auth/v1/token?grant_type=password", {
      email: seeded.mentor,
      password: seededPassword,
    });
    const { access_token } = z.object({ access_token: z.string() }).parse(session);
    return (rpc, body) => post(`/rest/v1/rpc/${rpc}`, body, access_token);
  }

  test("who is not signed in is asked to, learns what was wrong, and comes to the page that they wanted", async () => {
    const { page, noise, context } = await under.visitors.nobody(
      `/video-call/${amaraAndChidi}/recordings?status=failed`,
    );
    await heading(page, "Sign in").waitFor();

    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByText("Enter your e-mail address.").waitFor();
    expect(await page.evaluate("document.activeElement.name")).toBe("email");
    await page.getByLabel("E-mail").fill(seeded.mentor);
    await page.getByLabel("Password").fill("not this one");
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByText("E-mail or password is not right.").waitFor();
    expect(await findingsInEveryLook(page)).toEqual([]);
    // The browser itself tells of the answer 400; nothing else may.
    expect(noise.filter((line) => !line.includes("400"))).toEqual([]);

    await signInOn(page, seeded.mentor);
    await page.waitForURL(`**/video-call/${amaraAndChidi}/recordings?status=failed`);
    await context.close();
  });

  test("every page is for everybody, in light and dark, on a desk and on a phone", async () => {
    const visitor = await under.visitors.signedIn(seeded.thirdMentee);
    const { page } = visitor;
    await heading(page, "Welcome back, Edda").waitFor();
    await page.getByRole("link", { name: "Join the call with Bruno" }).first().waitFor();
    await page.getByRole("link", { name: "The recording with Bruno failed" }).waitFor();
    await page.getByRole("link", { name: "Recordings with Bruno" }).waitFor();
    expect(await page.getByRole("region", { name: "Past calls" }).getByRole("listitem").count()).toBe(2);
    expect(await findingsInEveryLook(page)).toEqual([]);

    await page.getByRole("button", { name: "Notifications, 1 unread" }).click();
    await heading(page, "Notifications").waitFor();
    expect(await findingsInEveryLook(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await heading(page, "Notifications").waitFor({ state: "detached" });

    // Before the call, whose camera and microphone are tried there.
    await page.goto("/video-call/33000000-0000-4000-8000-000000000003");
    await page.getByRole("button", { name: /^Join/ }).waitFor();
    expect(await findingsInEveryLook(page)).toEqual([]);

    // What is somebody else's looks like what never was.
    await page.goto(`/video-call/${amaraAndChidi}/recordings`);
    await page.getByText("There is nothing here for you").waitFor();
    expect(await findingsInEveryLook(page)).toEqual([]);
    await page.goto(`/recordings/${recordingOfAmaraAndChidi}`);
    await page.getByText("There is no such recording").waitFor();
    expect(await findingsInEveryLook(page)).toEqual([]);
    await page.goto("/nowhere");
    await heading(page, "There is no such page").waitFor();
    expect(await findingsInEveryLook(page)).toEqual([]);
    expect(visitor.noise).toEqual([]);
    await visitor.context.close();
  });

  test("a call that begins somewhere else is on the home without being asked for, and gone when it is over", async () => {
    const visitor = await under.visitors.signedIn(seeded.mentee);
    const { page } = visitor;
    await homeOf(page);
    const join = page
      .getByRole("region", { name: "Open now" })
      .getByRole("link", { name: "Join the call with Amara" });
    expect(await join.count()).toBe(0);
    const mentor = await mentorOverRest();
    const call = z
      .object({ id: z.uuid() })
      .parse(await mentor("join_call", { mentorship_id: amaraAndChidi }));
    await join.waitFor();
    await mentor("end_call", { call_id: call.id });
    await join.waitFor({ state: "detached" });
    expect(visitor.noise).toEqual([]);
    await visitor.context.close();
  });

  test("what is new comes as a toast in one of two tabs, and in the bell of both; what was read is read in both", async () => {
    const visitor = await under.visitors.signedIn(seeded.mentor);
    const second = await visitor.tab();
    await second.goto("/");
    const pages = [visitor.page, second];
    const bells = (unread: number) =>
      Promise.all(
        pages.map((page) => page.getByRole("button", { name: `Notifications, ${unread} unread` }).waitFor()),
      );
    await bells(3);
    const payload = { mentorship_id: amaraAndChidi, duration_ms: 2_640_000 };
    await under.sql`
      insert into public.notifications (user_id, recording_id, kind, payload)
      values ('a0000000-0000-4000-8000-000000000001', ${recordingOfAmaraAndChidi}, 'recording_ready', ${under.sql.json(payload)})`;
    await bells(4);
    const toast = (page: Page) => page.getByRole("link", { name: "Watch it" });
    const toasts = async () =>
      (await Promise.all(pages.map((page) => toast(page).count()))).reduce((sum, count) => sum + count, 0);
    await eventually(toasts, 1);
    const shown = (await toast(visitor.page).count()) === 1 ? visitor.page : second;
    await shown.getByText("Your recording with Chidi is ready").first().waitFor();
    expect(await seriousFindings(shown)).toEqual([]);

    await shown.getByRole("button", { name: "Notifications, 4 unread" }).click();
    await shown.getByRole("button", { name: "Mark all as read" }).click();
    await Promise.all(
      pages.map((page) => page.getByRole("button", { name: "Notifications, none unread" }).waitFor()),
    );
    expect(await toasts()).toBeLessThanOrEqual(1);
    expect(visitor.noise).toEqual([]);
    await visitor.context.close();
  });

  test("a renewed token changes nothing that is shown, and an ended session is asked for again over the page", async () => {
    const visitor = await under.visitors.signedIn(seeded.secondMentee);
    const { page } = visitor;
    await homeOf(page);
    // If the page were made anew, this mark would be gone.
    await page.evaluate("document.querySelector('h1').dataset.mark = 'here'");
    const mark = page.locator("h1[data-mark=here]");
    const stored = "JSON.parse(localStorage['portal-session'])";
    // Two access tokens made within one second are the same text; a refresh token is used once.
    const tokenOf = () => page.evaluate(`${stored}.refresh_token`);
    const age = () =>
      page.evaluate(
        `{ const s = ${stored}; s.expires_at = 1; localStorage['portal-session'] = JSON.stringify(s); window.dispatchEvent(new Event('online')); }`,
      );

    const before = await tokenOf();
    await age();
    await eventually(async () => (await tokenOf()) !== before, true);
    expect(await mark.count()).toBe(1);
    expect(visitor.noise).toEqual([]);

    await under.sql`delete from auth.sessions where user_id = 'b0000000-0000-4000-8000-000000000002'`;
    await age();
    const dialog = page.getByRole("dialog", { name: "Sign in again" });
    await dialog.waitFor();
    expect(await mark.count()).toBe(1);
    expect(await dialog.getByLabel("E-mail").inputValue()).toBe(seeded.secondMentee);
    expect(await seriousFindings(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await dialog.getByLabel("Password").fill(seededPassword);
    await dialog.getByRole("button", { name: "Sign in", exact: true }).click();
    await dialog.waitFor({ state: "detached" });
    expect(await mark.count()).toBe(1);
    await visitor.context.close();
  });

  test("without a network the page says so, keeps what it has, and what was asked for comes with the network", async () => {
    const { page, context } = await under.visitors.signedIn(seeded.secondMentor);
    await heading(page, "Welcome back, Bruno").waitFor();
    const recordings = page.getByRole("link", { name: "Recordings with Edda" });
    await recordings.waitFor();
    await context.setOffline(true);
    await page.getByText("You are offline.").waitFor();
    expect(await heading(page, "Welcome back, Bruno").count()).toBe(1);
    // The page's own code has not been needed before.
    await recordings.click();
    await page.getByText("This page comes as soon as you are online again.").waitFor();
    await context.setOffline(false);
    await heading(page, "Recordings with Edda").waitFor();
    await page.getByText("You are offline.").waitFor({ state: "detached" });
    await page.getByRole("article").first().waitFor();

    // What could not be fetched is fetched when there is a network again: nobody has to press for it.
    await context.setOffline(true);
    await page.getByRole("searchbox").fill("failed");
    await page.getByText("The portal cannot be reached.").waitFor();
    await context.setOffline(false);
    await page.getByText("The portal cannot be reached.").waitFor({ state: "detached" });
    await context.close();
  });

  test("an administrator is told what is wrong and when it is over; for others there is neither the page nor a way there", async () => {
    const { sql } = under;
    // Really so, as the sweep asks the same rules meanwhile.
    await sql`select recorder.set_secret_expiry('AGORA_CUSTOMER_SECRET', now() + interval '3 days')`;
    await sql`select recorder.evaluate_alerts()`;
    const fired = await sql`
      update recorder.alerts set pending_at = now() - interval '3 hours', fired_at = now() - interval '3 hours'
      where rule = 'secret_expiring' and state = 'firing' returning id`;
    expect(fired).toHaveLength(1);
    await sql`select recorder.name_portal_administrator('a0000000-0000-4000-8000-000000000002')`;
    const openMenu = (page: Page) => page.getByRole("button", { name: /^Account of/ }).click();
    const wayThere = (page: Page) => page.getByRole("menuitem", { name: "Alerts" });

    const visitor = await under.visitors.signedIn(seeded.secondMentor);
    const { page, context } = visitor;
    await homeOf(page);
    await openMenu(page);
    await wayThere(page).click();
    await page.waitForURL("**/alerts");
    const listed = (region: string) =>
      page
        .getByRole("region", { name: region })
        .getByRole("listitem")
        .filter({ hasText: "A secret expires soon." });
    await listed("Firing now").getByText("AGORA_CUSTOMER_SECRET ends", { exact: false }).waitFor();
    await listed("Firing now").getByText("3 hours ago").waitFor();
    await listed("Firing now").getByText("docs/operations.md#alert-secret_expiring").waitFor();
    expect(await findingsInEveryLook(page)).toEqual([]);
    expect(visitor.noise).toEqual([]);

    const other = await under.visitors.signedIn(seeded.secondMentee, "/alerts");
    await heading(other.page, "There is no such page").waitFor();
    const answered = other.page.waitForResponse(/is_portal_administrator/);
    await openMenu(other.page);
    await other.page.getByRole("menuitem", { name: "Sign out" }).waitFor();
    expect(await (await answered).json()).toBe(false);
    expect(await wayThere(other.page).count()).toBe(0);
    expect(await other.page.getByText(/secret|alert/i).count()).toBe(0);
    expect(other.noise).toEqual([]);
    await other.context.close();

    await sql`select recorder.set_secret_expiry('AGORA_CUSTOMER_SECRET', null)`;
    await sql`select recorder.evaluate_alerts()`;
    await sql`update recorder.alerts set calm_at = calm_at - interval '1 hour' where rule = 'secret_expiring' and state = 'firing'`;
    await sql`select recorder.evaluate_alerts()`;
    // Whoever comes back from a lost network sees what is so, without waiting for the next time that is asked.
    await context.setOffline(true);
    await page.getByText("You are offline.").waitFor();
    await context.setOffline(false);
    await listed("Recovered").waitFor();
    expect(await listed("Firing now").count()).toBe(0);
    await context.close();

    // What the page says to run is understood where it is run.
    const commands = Object.values(runbooks).flatMap((runbook) => runbook.commands);
    const ready = commands.filter((command) => command.startsWith("select") && !command.includes("…"));
    expect(ready.length).toBeGreaterThan(5);
    for (const command of ready) await sql.unsafe(`explain ${command}`);
  });

  test("who meets nobody yet is told so, and signing out in one tab signs out all of them", async () => {
    const email = `${randomUUID()}@example.com`;
    const answer = await fetch(`${under.stack.url}/auth/v1/signup`, {
      method: "POST",
      headers: { apikey: under.stack.publishableKey, "content-type": "application/json" },
      body: JSON.stringify({ email, password: seededPassword }),
    });
    expect(answer.status).toBe(200);
    const visitor = await under.visitors.signedIn(email);
    const { page } = visitor;
    await page.getByText("No mentorship yet").waitFor();
    await page.getByText("No calls yet").waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await page.goto("/nowhere");
    await heading(page, "There is no such page").waitFor();
    await page.getByRole("link", { name: "Go to the home page" }).click();
    await page.getByText("No mentorship yet").waitFor();
    expect(await page.evaluate("document.activeElement.tagName")).toBe("H1");

    const second = await visitor.tab();
    await second.goto("/");
    await homeOf(second);
    await page.getByRole("button", { name: `Account of ${email}` }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await Promise.all([heading(page, "Sign in").waitFor(), heading(second, "Sign in").waitFor()]);
    expect(visitor.noise).toEqual([]);
    await visitor.context.close();
  });
});
