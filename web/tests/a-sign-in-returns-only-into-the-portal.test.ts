import { expect, test } from "vitest";
import { returnPathOf } from "../src/pages/sign-in/return-path.ts";

const back = (to: string): string => returnPathOf(`?to=${encodeURIComponent(to)}`);

test("a page of the portal is returned to, with its question and place", () => {
  expect(back("/recordings/1?t=12#x")).toBe("/recordings/1?t=12#x");
});

test.each([
  "https://example.com/",
  "//example.com",
  "/\\example.com",
  "recordings",
  "",
  "/sign-in?to=/",
  "javascript:alert(1)",
])("%j leads home", (to) => expect(back(to)).toBe("/"));

test("no wish leads home", () => expect(returnPathOf("")).toBe("/"));
