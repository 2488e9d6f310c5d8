import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { ENGINE_ERRORS } from "../../supabase/functions/_shared/agora/errors.ts";
import { STORE_ERRORS } from "../../supabase/functions/_shared/b2/errors.ts";
import { NOTIFY_ERRORS } from "../../supabase/functions/_shared/notify/errors.ts";

const projectDir = resolve(import.meta.dirname, "../..");
const text = readFileSync(join(projectDir, "docs/errors.md"), "utf8");
const documented = new Set(
  text.split("\n").flatMap((line) => /^\| `([a-z0-9_]+)` +\|/.exec(line)?.[1] ?? []),
);

function sources(pattern: string): string {
  return globSync(pattern, { cwd: projectDir })
    .map((file) => readFileSync(join(projectDir, file), "utf8"))
    .join("\n");
}

/** The rows under one heading, by code: their other cells. */
function rowsUnder(heading: string): Map<string, string[]> {
  const [, after = ""] = text.split(`\n## ${heading}\n`);
  const [section = ""] = after.split("\n## ");
  return new Map(
    section.split("\n").flatMap((line) => {
      const [, code, ...cells] = line.split("|").map((cell) => cell.trim().replace(/^`|`$/g, ""));
      return /^\| `/.test(line) && code !== undefined ? [[code, cells] as const] : [];
    }),
  );
}

test("the codes of the database, and what is said of each, are those of its rows", () => {
  const rows = [
    ...sources("supabase/migrations/*.sql").matchAll(
      /\('([a-z_]+)', '(RC[0-9A-Z]{3})', (\d+), '(\w+)', '(\w+)', '((?:[^']|'')*)'\)/g,
    ),
  ].map(([, code, ...cells]) => [code, cells.map((cell) => cell?.replaceAll("''", "'"))]);
  expect(rows.length).toBeGreaterThan(40);
  const told = [...rowsUnder("From the database")].map(([code, cells]) => [code, cells.slice(0, 5)]);
  expect(told.toSorted()).toEqual(rows.toSorted());
});

test.each([
  ["From the engine", ENGINE_ERRORS],
  ["From the store", STORE_ERRORS],
  ["From the receiver of events", NOTIFY_ERRORS],
])(
  "%s: the codes, their blame, when to try again and the sentence are those of the code",
  (heading, errors) => {
    const told = [...rowsUnder(heading)].map(([code, [blame, retry, what = ""]]) => {
      const message =
        (errors as Record<string, { message: string }>)[code]?.message ?? "nothing of that name";
      // What to do may follow.
      return [code, { blame, retry, message: what.startsWith(message.replace(/\.$/, "")) ? message : what }];
    });
    expect(Object.fromEntries(told)).toEqual({ ...errors });
  },
);

test("every code that a function names itself is in docs/errors.md", () => {
  const code = sources("supabase/functions/_shared/**/*.ts");
  const codes = [
    ...code.matchAll(
      /\bcode: "([a-z0-9_]+)",\s*blame|(?:refuse|answer)\(\s*\d+,\s*(?:\{ code: )?"([a-z0-9_]+)"/g,
    ),
  ].map((match) => match[1] ?? match[2] ?? "");
  expect(codes.length).toBeGreaterThan(5);
  expect([...new Set(codes)].filter((code) => !documented.has(code))).toEqual([]);
});
