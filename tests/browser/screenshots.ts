// `npm run screenshots`: takes a picture of every page into docs/images, on a stack of its own; those of a call are of a real one. Not
// part of npm test: pictures that are compared would fail with every font.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import postgres from "postgres";
import { startStack } from "../../local/stack/stack.ts";
import { createVisitors, seeded } from "./people.ts";
import { recordCallBefore } from "./recorded-call.ts";

const imagesDir = resolve(import.meta.dirname, "../../docs/images");

interface Shot {
  name: string;
  /** Who looks; nobody is signed in where it is left out. */
  who?: string;
  path: string;
  /** What must have happened before. */
  prepare?(sql: postgres.Sql): Promise<unknown>;
  /** Resolves when the page shows what it is about. */
  ready(page: Page): Promise<unknown>;
}

const heading = (page: Page, name: string | RegExp) => page.getByRole("heading", { name }).first().waitFor();

const shots: readonly Shot[] = [
  { name: "sign-in", path: "/sign-in", ready: (page) => heading(page, "Sign in") },
  {
    name: "home",
    who: seeded.thirdMentee,
    path: "/",
    ready: (page) => page.getByRole("region", { name: "Past calls" }).getByRole("listitem").first().waitFor(),
  },
  {
    name: "notifications",
    who: seeded.mentor,
    path: "/",
    ready: async (page) => {
      await page.getByRole("button", { name: /^Notifications,/ }).click();
      await heading(page, "Notifications");
    },
  },
  {
    name: "recordings-failed",
    who: seeded.mentor,
    path: "/video-call/33000000-0000-4000-8000-000000000002/recordings",
    ready: (page) => page.getByRole("article").first().waitFor(),
  },
  {
    name: "recording-failed",
    who: seeded.mentor,
    path: "/recordings/55000000-0000-4000-8000-000000000005",
    ready: (page) => heading(page, "What happened"),
  },
  {
    name: "lobby",
    who: seeded.thirdMentee,
    path: "/video-call/33000000-0000-4000-8000-000000000003",
    // The picture of the camera comes after the buttons.
    ready: async (page) => {
      await page.getByRole("button", { name: /^Join/ }).waitFor();
      await page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) > 0);
    },
  },
  {
    name: "alerts",
    who: seeded.mentor,
    path: "/alerts",
    prepare: (sql) => sql`
      with named as (select recorder.name_portal_administrator('a0000000-0000-4000-8000-000000000001'))
      insert into recorder.alerts (rule, state, explanation, pending_at, fired_at, resolved_at)
      select a.rule, case when a.over is null then 'firing' else 'resolved' end, a.explanation, now() - a.began, now() - a.began, now() - a.over
      from named, (values
        ('webhooks_never_came', 'A recording runs since 14 min and no event has come.', interval '11 minutes', null::interval),
        ('secret_expiring', 'AGORA_CUSTOMER_SECRET ends 2027-05-01.', interval '2 days', null),
        ('storage_lane_stands', 'The function answered 500 to its last wake-up.', interval '9 days', interval '9 days' - interval '24 minutes')
      ) as a (rule, explanation, began, over)`,
    ready: (page) => page.getByRole("region", { name: "Firing now" }).waitFor(),
  },
];

const desk = {
  suffix: "",
  options: { viewport: { width: 1280, height: 800 }, colorScheme: "light" as const },
};
const phone = {
  suffix: "-phone-dark",
  options: { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, colorScheme: "dark" as const },
};

const ofACall = ["call", "player", "recordings"];

const only = process.argv.slice(2);
const isWanted = (name: string) => only.length === 0 || only.includes(name);
const dataDir = await mkdtemp(join(tmpdir(), "screenshots-"));
const stack = await startStack({ dataDir, ports: "free", portal: true });
const sql = postgres(stack.databaseUrls.admin, { max: 1, onnotice: () => undefined });
try {
  const visitors = await createVisitors(stack.addresses.portal ?? "");
  try {
    await mkdir(imagesDir, { recursive: true });
    const take = async (page: Page, name: string) => {
      await page.waitForLoadState("networkidle");
      const file = join(imagesDir, `${name}.png`);
      await page.screenshot({ path: file, animations: "disabled" });
      console.log(file);
    };
    for (const { name, who, path, prepare, ready } of shots.filter((shot) => isWanted(shot.name))) {
      await prepare?.(sql);
      for (const { suffix, options } of [desk, phone]) {
        const { page, context } = await (who === undefined
          ? visitors.nobody(path, options)
          : visitors.signedIn(who, path, options));
        await ready(page);
        await take(page, `${name}${suffix}`);
        await context.close();
      }
    }
    if (ofACall.some(isWanted)) {
      await recordCallBefore(visitors, [desk.options, phone.options], async (name, pages) => {
        if (!isWanted(name)) return;
        await take(pages[0], `${name}${desk.suffix}`);
        await take(pages[1], `${name}${phone.suffix}`);
      });
    }
  } finally {
    await visitors.leave();
  }
} finally {
  await sql.end({ timeout: 2 });
  await stack.stop();
  await rm(dataDir, { recursive: true, force: true });
}
