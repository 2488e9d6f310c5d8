import { join, resolve } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { quietLog } from "../../stack/part.ts";
import { chunksOf, gzipBytes, type Manifest, readManifest } from "../budget.ts";
import { buildPortal } from "../build.ts";

const projectDir = resolve(import.meta.dirname, "../../..");
const sourceDir = join(projectDir, "web");
let buildDir: string;
let built: Manifest;

beforeAll(async () => {
  buildDir = await buildPortal(
    { sourceDir, buildsDir: join(projectDir, "node_modules", ".cache", "portal") },
    quietLog,
  );
  built = await readManifest(buildDir);
});

/** Script before it shows, kB of 1000 bytes after gzip. The wall for every page without call and player is 200. */
const budgets: [what: string, page: string | undefined, kilobytes: number][] = [
  ["anything at all", undefined, 160],
  ["the sign-in", "src/pages/sign-in/sign-in-page.tsx", 170],
  ["the home page", "src/pages/home/home-page.tsx", 180],
  ["the list of recordings", "src/pages/recordings/recordings-page.tsx", 196],
];

test.each(budgets)("%s needs less script than its budget", async (what, page, kilobytes) => {
  const bytes = await gzipBytes(buildDir, chunksOf(built, page));
  console.log(`${what}: ${(bytes / 1000).toFixed(1)} kB of ${kilobytes} kB`);
  expect(bytes).toBeLessThan(kilobytes * 1000);
  // A budget that nothing comes near to guards nothing.
  expect(bytes).toBeGreaterThan(100_000);
});

/** What only a call, a player or a first press needs, by something that only its code says. */
const later: [what: string, page: string][] = [
  ["the player", "src/pages/player/player-page.tsx"],
  ["the call", "src/pages/call/call-page.tsx"],
  ["menus", "src/app/open-account-menu.tsx"],
  ["toasts", "src/design/toast-viewport.tsx"],
  ["the list under the bell", "src/app/bell-panel.tsx"],
  ["the alerts", "src/pages/alerts/alerts-page.tsx"],
];

test.each(later)("%s is no part of what is loaded first", (_what, page) => {
  const file = built[page]?.file;
  expect(file).toBeDefined();
  expect(chunksOf(built, "src/pages/home/home-page.tsx")).not.toContain(file);
});

test("an import that becomes static is counted", () => {
  const page = "src/pages/player/player-page.tsx";
  const entry = Object.keys(built).find((name) => built[name]?.isEntry) ?? "";
  const changed = {
    ...built,
    [entry]: {
      ...(built[entry] ?? { file: "", imports: [], dynamicImports: [] }),
      imports: [...(built[entry]?.imports ?? []), page],
    },
  };
  expect(chunksOf(changed).length).toBeGreaterThan(chunksOf(built).length);
});
