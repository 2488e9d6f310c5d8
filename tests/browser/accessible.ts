import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";
import { z } from "zod";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const result = z.object({
  violations: z.array(
    z.object({
      id: z.string(),
      impact: z.string().nullable(),
      help: z.string(),
      nodes: z.array(z.object({ target: z.array(z.unknown()), failureSummary: z.string().optional() })),
    }),
  ),
});

/** What axe finds serious or critical on a page as it is now, one line each; nothing is what is wanted. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // Colours in the middle of an animation are nobody's.
  await page.waitForFunction(() =>
    document
      .getAnimations()
      .every(
        (one) =>
          one.playState !== "running" ||
          one.effect?.getComputedTiming().iterations === Number.POSITIVE_INFINITY,
      ),
  );
  // evaluate goes past the page's policy, as it must: an outside script is what the policy is against.
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axeSource);
  const found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  return result
    .parse(found)
    .violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, help, nodes }) =>
        `${id}: ${help} (${nodes.map(({ target, failureSummary }) => `${target.join(" ")}: ${failureSummary?.split("\n").at(-1)?.trim()}`).join("; ")})`,
    );
}

const looks = [
  { name: "on a desk", viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  { name: "on a desk in the dark", viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  { name: "on a phone", viewport: { width: 360, height: 740 }, colorScheme: "light" },
  { name: "on a phone in the dark", viewport: { width: 360, height: 740 }, colorScheme: "dark" },
] as const;

/** The same in light and dark, at a desk and on a phone, where nothing may be wider than the window either. The page is as before afterwards. */
export async function findingsInEveryLook(page: Page): Promise<string[]> {
  const before = page.viewportSize();
  const found: string[] = [];
  for (const { name, viewport, colorScheme } of looks) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    const findings = await seriousFindings(page);
    if (await page.evaluate("document.documentElement.scrollWidth > innerWidth"))
      findings.push("the page is wider than the window");
    found.push(...findings.map((finding) => `${name}: ${finding}`));
  }
  await page.emulateMedia({ colorScheme: null });
  if (before !== null) await page.setViewportSize(before);
  return found;
}
