import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium } from "../../local/browser/chromium.ts";

/** The people of supabase/seed.sql, by what they are called in it. */
export const seeded = {
  mentor: "mentor@example.com",
  secondMentor: "second.mentor@example.com",
  mentee: "mentee@example.com",
  secondMentee: "second.mentee@example.com",
  thirdMentee: "third.mentee@example.com",
} as const;
export const seededPassword = "recorded-here";

/** Somebody in front of a browser of their own. */
export interface Visitor {
  page: Page;
  context: BrowserContext;
  /** What the page wrote into its console as a warning or an error, and what it threw: all of it is noise. */
  noise: string[];
  /** Another tab of the same browser. */
  tab(): Promise<Page>;
}

export interface Visitors {
  browser: Browser;
  /** Opens the portal signed in, at a path. */
  signedIn(email: string, path?: string, options?: BrowserContextOptions): Promise<Visitor>;
  /** Opens the portal as nobody. */
  nobody(path?: string, options?: BrowserContextOptions): Promise<Visitor>;
  leave(): Promise<void>;
}

/** A busy machine takes its time. */
const patienceMs = 60_000;

/**
 * A browser for the portal at `address`; every visitor gets a fresh profile, with cameras and microphones that are fake and that the page
 * may use, unless `permissions` say otherwise.
 */
export async function createVisitors(address: string): Promise<Visitors> {
  const browser = await launchChromium({ areDevicesAskedFor: true });

  const nobody: Visitors["nobody"] = async (path = "/", options = {}) => {
    const context = await browser.newContext({
      baseURL: address,
      viewport: { width: 1280, height: 800 },
      permissions: ["camera", "microphone"],
      ...options,
    });
    context.setDefaultTimeout(patienceMs);
    const noise: string[] = [];
    const listen = (page: Page): Page => {
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") noise.push(message.text());
      });
      page.on("pageerror", (error) => noise.push(`thrown: ${error.message}`));
      return page;
    };
    const page = listen(await context.newPage());
    await page.goto(path);
    return { page, context, noise, tab: async () => listen(await context.newPage()) };
  };

  return {
    browser,
    nobody,
    async signedIn(email, path = "/", options = {}) {
      const visitor = await nobody(path, options);
      await signInOn(visitor.page, email);
      return visitor;
    },
    leave: () => browser.close(),
  };
}

/** Signs in on the page that asks for it, by what a person sees; resolves when it has gone. */
export async function signInOn(page: Page, email: string, password: string = seededPassword): Promise<void> {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByLabel("Password").waitFor({ state: "detached" });
}
