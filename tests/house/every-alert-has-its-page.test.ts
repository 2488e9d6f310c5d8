import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { METRICS } from "../../supabase/functions/_shared/health/families.ts";

const projectDir = resolve(import.meta.dirname, "../..");
const operations = readFileSync(join(projectDir, "docs/operations.md"), "utf8");

/** As GitHub makes an address of a heading. */
const anchors = new Set(
  [...operations.matchAll(/^#+ (.+)$/gm)].map(
    ([, heading = ""]) =>
      `#${heading
        .toLowerCase()
        .replaceAll(/[^a-z0-9_\- ]/g, "")
        .replaceAll(" ", "-")}`,
  ),
);

test("every alert's runbook is a heading of docs/operations.md", () => {
  const sql = globSync("supabase/migrations/*.sql", { cwd: projectDir })
    .map((file) => readFileSync(join(projectDir, file), "utf8"))
    .join("\n");
  const runbooks = [...sql.matchAll(/^ {2}\('\w+', '(?:critical|warning)', .*'(#[a-z0-9_-]+)'\)[,;]$/gm)].map(
    ([, runbook = ""]) => runbook,
  );
  expect(runbooks.length).toBeGreaterThan(15);
  expect(runbooks.filter((runbook) => !anchors.has(runbook))).toEqual([]);
});

test("every metric is listed in docs/operations.md", () => {
  const missing = Object.values(METRICS)
    .map(({ name, type }) => `${name}${type === "counter" ? "_total" : ""}`)
    .filter((name) => !operations.includes(`\`${name}`));
  expect(missing).toEqual([]);
});
