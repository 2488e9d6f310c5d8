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
  await page.evaluate(axeSource);
  const found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  return result
    .parse(found)
    .violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, help, nodes }) =>
        `${id}: ${help} (${nodes.map(({ target, failureSummary }) => `${target.join(" ")}: ${failureSummary?.split("\n").at(-1)?.trim()}`).join("; ")})`,
    );
}
