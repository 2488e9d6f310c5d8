import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { expect } from "vitest";
import type { Person } from "../../integration/people.ts";
import type { Visitor } from "../people.ts";
import type { PortalUnderTest } from "../portal-under-test.ts";

/** A busy machine takes its time. */
export const patience = { timeout: 60_000 };

export const button = (page: Page, name: string | RegExp): Locator => page.getByRole("button", { name });

/** Opens a browser in which this person is signed in, with no page of the portal open yet. `accessToken` in the place of the session's own. */
export async function arrive(
  portal: PortalUnderTest,
  { client }: Person,
  { accessToken, ...options }: BrowserContextOptions & { accessToken?: string } = {},
): Promise<Visitor> {
  const { data, error } = await client.auth.getSession();
  if (error !== null || data.session === null) throw error ?? new Error("this person has no session");
  const session = { ...data.session, ...(accessToken === undefined ? {} : { access_token: accessToken }) };
  const kept = { name: "portal-session", value: JSON.stringify(session) };
  return await portal.visitors.nobody("about:blank", {
    storageState: { cookies: [], origins: [{ origin: portal.address, localStorage: [kept] }] },
    ...options,
  });
}

/** Joins, and again where the page says that it took too long: what a person does at a starved machine. */
export async function join({ page }: Visitor): Promise<void> {
  const leave = button(page, "Leave call");
  const isIn = async () => {
    if ((await leave.count()) > 0) return true;
    const ready = button(page, /^Join call/);
    if ((await ready.count()) > 0) await ready.click({ timeout: 5_000 }).catch(() => undefined);
    return false;
  };
  await expect.poll(isIn, { timeout: 120_000, interval: 300 }).toBe(true);
}

/** The engine's name of the call that is open in a mentorship. */
export async function openChannel({ sql }: PortalUnderTest, mentorshipId: string): Promise<string> {
  const [call] = await sql<{ channel: string }[]>`
    select channel from public.video_calls where mentorship_id = ${mentorshipId} and status = 'active'`;
  if (call === undefined) throw new Error("no call is open");
  return call.channel;
}

/** Sets a number of recorder.settings while `work` goes on. */
export async function withSetting<Result>(
  { sql }: PortalUnderTest,
  name: string,
  value: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const [was] = await sql`
    update recorder.settings s set value = ${value} from recorder.settings old
    where s.name = ${name} and old.name = s.name returning old.value`;
  if (was === undefined) throw new Error(`there is no setting ${name}`);
  try {
    return await work();
  } finally {
    await sql`update recorder.settings set value = ${was.value} where name = ${name}`;
  }
}
