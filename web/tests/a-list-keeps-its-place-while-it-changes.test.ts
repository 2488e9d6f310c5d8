// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { putOnTop, type Recording } from "../src/backend/recordings.ts";

const row = (minute: number, status = "recorded"): Recording =>
  ({
    id: `r${minute}`,
    created_at: new Date(Date.UTC(2026, 10, 22, 0, minute)).toISOString(),
    status,
  }) as Recording;
const rows = (from: number, to: number): Recording[] =>
  Array.from({ length: from - to + 1 }, (_, index) => row(from - index));
const idsOf = (pages: Recording[][]): string[] => pages.flat().map(({ id }) => id);

test("a new recording comes on top, what was loaded stays below, and nothing is there twice", () => {
  const before = { pages: [rows(200, 151), rows(150, 101)], pageParams: [undefined, "x"] };
  const after = putOnTop(before, rows(201, 152));
  expect(idsOf(after.pages)).toEqual(idsOf([rows(201, 101)]));
});

test("when the first page is not full it is everything: what it does not hold is gone", () => {
  const before = { pages: [rows(40, 1)], pageParams: [undefined] };
  expect(idsOf(putOnTop(before, rows(40, 11)).pages)).toEqual(idsOf([rows(40, 11)]));
});

test("rows of the first page are the fresh ones", () => {
  const before = { pages: [[row(2, "processing"), row(1)]], pageParams: [undefined] };
  expect(putOnTop(before, [row(2, "recorded"), row(1)]).pages[0]?.[0]?.status).toBe("recorded");
});
