import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runbooks } from "../../src/texts/alerts.ts";

/** What docs/operations.md says of each alert, on one line each. */
const documented = new Map<string, string>(
  readFileSync(join(import.meta.dirname, "../../../docs/operations.md"), "utf8")
    .split(/^(?=#+ )/m)
    .flatMap((section) => {
      const name = /^### Alert ([a-z0-9_]+)\n/.exec(section)?.[1];
      return name === undefined ? [] : [[`#alert-${name}`, section.replaceAll(/\s+/g, " ")] as const];
    }),
);

test("every alert of the runbook is told in the portal, and the portal tells no other", () => {
  expect(documented.size).toBeGreaterThan(10);
  expect(Object.keys(runbooks).toSorted()).toEqual([...documented.keys()].toSorted());
});

test.each(Object.entries(runbooks))("what %s says to run stands in its section", (anchor, runbook) => {
  const section = documented.get(anchor) ?? "";
  expect(runbook.commands.filter((command) => !section.includes(`\`${command}\``))).toEqual([]);
  for (const text of [runbook.meaning, runbook.action]) expect(text).toMatch(/^[A-Z].*[.?]$/);
});
