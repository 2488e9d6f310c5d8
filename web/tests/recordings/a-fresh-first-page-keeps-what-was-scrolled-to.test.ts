// @vitest-environment happy-dom
import type { InfiniteData } from "@tanstack/react-query";
import { expect, it } from "vitest";
import type { RecordingPage } from "../../src/backend/recording-card.ts";
import { withFreshTop } from "../../src/backend/recording-cards.ts";
import { sampleCard } from "./sample-card.ts";

/** A recording of a minute of one day: the later, the newer. */
const card = (minute: number, version = 1) =>
  sampleCard({
    id: `55000000-0000-4000-8000-${String(minute).padStart(12, "0")}`,
    created_at: `2026-03-01T10:${String(minute).padStart(2, "0")}:00+00:00`,
    version,
  });
const place = (minute: number) => ({ at: card(minute).created_at, id: card(minute).id });
const page = (minutes: number[], next: number | null, total: number | null = null): RecordingPage => ({
  is_visible: true,
  recordings: minutes.map((minute) => card(minute)),
  total,
  next: next === null ? null : place(next),
});
const pages = (
  ...given: RecordingPage[]
): InfiniteData<RecordingPage, { at: string; id: string } | null> => ({
  pages: given,
  pageParams: [null, ...given.slice(0, -1).map(({ next }) => next)],
});
const minutesOf = (data: InfiniteData<RecordingPage>) =>
  data.pages.flatMap(({ recordings }) =>
    recordings.map(({ created_at }) => Number(created_at.slice(14, 16))),
  );

it("a new recording comes on top, and what it pushed out of the first page stays below it", () => {
  const shown = pages(page([9, 8, 7], 7, 9), page([6, 5, 4], 4));
  const fresh = withFreshTop(shown, page([10, 9, 8], 8, 10));
  expect(minutesOf(fresh)).toEqual([10, 9, 8, 7, 6, 5, 4]);
  expect(fresh.pages[0]?.total).toBe(10);
  // The next page is the one that follows what is shown last.
  expect(fresh.pages.at(-1)?.next).toEqual(place(4));
});

it("what the filter does not find any more is gone from the first page", () => {
  const fresh = withFreshTop(pages(page([9, 8, 7], 7, 9), page([6, 5, 4], 4)), page([9, 7, 6], 6, 8));
  expect(minutesOf(fresh)).toEqual([9, 7, 6, 5, 4]);
});

it("a first page that is all there is replaces everything", () => {
  const fresh = withFreshTop(pages(page([9, 8, 7], 7, 4), page([6], null)), page([9], null, 1));
  expect(minutesOf(fresh)).toEqual([9]);
  expect(fresh.pageParams).toEqual([null]);
});

it("what is in the first page is the fresh one, and nothing is there twice", () => {
  const shown = pages(page([9, 8], 8, 9), page([7, 6], 6));
  const top = { ...page([9, 8], 8, 9), recordings: [card(9, 2), card(8, 1)] };
  const fresh = withFreshTop(shown, top).pages.flatMap(({ recordings }) => recordings);
  expect(fresh.map(({ version }) => version)).toEqual([2, 1, 1, 1]);
  expect(new Set(fresh.map(({ id }) => id)).size).toBe(4);
});

it("an only page goes on where its last row stands", () => {
  const fresh = withFreshTop(pages(page([9, 8, 7], 7, 9)), page([10, 9, 8], 8, 10));
  expect(minutesOf(fresh)).toEqual([10, 9, 8, 7]);
  expect(fresh.pages[0]?.next).toEqual(place(7));
});
