import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Stack } from "../../../local/stack/stack.ts";
import type { Person } from "../../integration/people.ts";

/** A signed-in person with a browser window, and everything that went wrong in its console. */
export interface Visitor {
  context: BrowserContext;
  page: Page;
  /** Errors and warnings of the console, and what no code caught. Requests that a test made fail are none of the page's. */
  noise: string[];
  close(): Promise<void>;
}

/** Opens a window in which somebody has signed in before. Nothing is shown yet. */
export async function visit(
  browser: Browser,
  stack: Pick<Stack, "addresses">,
  person: Person,
  options: Parameters<Browser["newContext"]>[0] = {},
): Promise<Visitor> {
  const { data } = await person.client.auth.getSession();
  if (data.session === null) throw new Error("this person is not signed in");
  const context = await browser.newContext({
    baseURL: stack.addresses.portal ?? "",
    acceptDownloads: true,
    permissions: ["clipboard-read", "clipboard-write"],
    viewport: { width: 1280, height: 900 },
    ...options,
  });
  await context.addInitScript(
    (session) => {
      localStorage.setItem("portal-session", session);
    },
    JSON.stringify(data.session),
  );
  const page = await context.newPage();
  const noise: string[] = [];
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    // The browser itself says so of every answer of 400 and more; what matters is what the page makes of it.
    if (message.text().startsWith("Failed to load resource")) return;
    noise.push(message.text());
  });
  page.on("pageerror", (error) => noise.push(error.message));
  return { context, page, noise, close: () => context.close() };
}
