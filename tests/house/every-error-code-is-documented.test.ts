import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const projectDir = resolve(import.meta.dirname, "../..");
const documented = new Set(
  readFileSync(join(projectDir, "docs/errors.md"), "utf8")
    .split("\n")
    .flatMap((line) => /^\| `([a-z0-9_]+)` +\|/.exec(line)?.[1] ?? []),
);

function sources(pattern: string): string {
  return globSync(pattern, { cwd: projectDir })
    .map((file) => readFileSync(join(projectDir, file), "utf8"))
    .join("\n");
}

test("every code of the database is in docs/errors.md", () => {
  const codes = [...sources("supabase/migrations/*.sql").matchAll(/\('([a-z_]+)', 'RC[0-9A-Z]{3}'/g)].map(
    (match) => match[1] ?? "",
  );
  expect(codes.length).toBeGreaterThan(10);
  expect(codes.filter((code) => !documented.has(code))).toEqual([]);
});

test("every code of the engine, of the store and of the receiver of events is in docs/errors.md", () => {
  const text = sources("supabase/functions/_shared/{agora,b2,notify}/errors.ts");
  const codes = [...text.matchAll(/^ {2}([a-z_]+): \{$/gm)].map((match) => match[1] ?? "");
  expect(codes.length).toBeGreaterThan(20);
  expect(codes.filter((code) => !documented.has(code))).toEqual([]);
});

test("every code that a function names itself is in docs/errors.md", () => {
  const text = sources("supabase/functions/_shared/**/*.ts");
  const codes = [...text.matchAll(/\bcode: "([a-z0-9_]+)",\s*blame|refuse\(\s*\d+,\s*"([a-z0-9_]+)"/g)].map(
    (match) => match[1] ?? match[2] ?? "",
  );
  expect(codes.length).toBeGreaterThan(5);
  expect([...new Set(codes)].filter((code) => !documented.has(code))).toEqual([]);
});
