import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { codesNobodyReads, errorTexts, textOfError } from "../src/texts/errors.ts";

const documented = [
  ...new Set(
    readFileSync(join(import.meta.dirname, "../../docs/errors.md"), "utf8")
      .split("\n")
      .flatMap((line) => /^\| `([a-z0-9_]+)` *\|/.exec(line)?.[1] ?? []),
  ),
];

test("every documented code has a text, or says who meets it instead of people", () => {
  expect(documented.length).toBeGreaterThan(90);
  expect(
    documented.filter((code) => !Object.hasOwn(errorTexts, code) && !Object.hasOwn(codesNobodyReads, code)),
  ).toEqual([]);
});

test("no code has both, and none that is said to be met by nobody is unknown to the documents", () => {
  const unread = Object.keys(codesNobodyReads);
  expect(unread.filter((code) => Object.hasOwn(errorTexts, code))).toEqual([]);
  expect(unread.filter((code) => !documented.includes(code))).toEqual([]);
});

test.each(Object.entries(errorTexts))(
  "%s is said in one sentence, with one action",
  (_code, { sentence, action }) => {
    for (const text of [sentence, action]) {
      expect(text).toMatch(/^[A-Z].*\.$/);
      // One sentence: no full stop, question or exclamation but the last.
      expect(text.slice(0, -1)).not.toMatch(/[.!?]\s/);
    }
  },
);

test("a code that nobody knows is ours to mend, and does not show its name", () => {
  expect(textOfError("something_new")).toEqual(errorTexts.unexpected_error);
  expect(textOfError("constructor")).toEqual(errorTexts.unexpected_error);
});
