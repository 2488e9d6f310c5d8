import { expect, test } from "vitest";
import { cellsFor } from "../capture/layout.ts";

const size = { width: 1280, height: 720 };
const people = (count: number, sharing?: number) =>
  Array.from({ length: count }, (_, index) => ({ uid: index + 1, hasScreen: index + 1 === sharing }));
const places = (layout: number, count: number, more: { sharing?: number; large?: number } = {}) =>
  cellsFor(
    { ...size, mixedVideoLayout: layout, maxResolutionUid: more.large },
    people(count, more.sharing),
  ).map(({ uid, kind, x, y, width, height }) => [uid, kind, x, y, width, height]);

test("best fit: alone fills the picture, two share it in columns, up to four in two rows", () => {
  expect(places(1, 0)).toEqual([]);
  expect(places(1, 1)).toEqual([[1, "camera", 0, 0, 1280, 720]]);
  expect(places(1, 2)).toEqual([
    [1, "camera", 0, 0, 640, 720],
    [2, "camera", 640, 0, 640, 720],
  ]);
  expect(places(1, 3)).toEqual([
    [1, "camera", 0, 0, 640, 360],
    [2, "camera", 640, 0, 640, 360],
    [3, "camera", 320, 360, 640, 360],
  ]);
  expect(places(1, 4).at(-1)).toEqual([4, "camera", 640, 360, 640, 360]);
});

test("floating: the first fills the picture, the others stand small at its lower edge", () => {
  const [first, second, third] = places(0, 3);
  expect(first).toEqual([1, "camera", 0, 0, 1280, 720]);
  expect(second).toEqual([2, "camera", 18, 540, 302, 162]);
  expect(third?.[2]).toBeGreaterThan(302);
});

test("vertical: the one with maxResolutionUid is large, the others stand beside; nobody there means the first", () => {
  expect(places(2, 3, { large: 2 })).toEqual([
    [2, "camera", 0, 0, 960, 720],
    [1, "camera", 960, 0, 320, 240],
    [3, "camera", 960, 240, 320, 240],
  ]);
  expect(places(2, 2, { large: 9 })[0]).toEqual([1, "camera", 0, 0, 960, 720]);
  expect(places(2, 1, { large: 9 })).toEqual([[1, "camera", 0, 0, 1280, 720]]);
});

test.each([0, 1, 2])(
  "a shared screen is the large picture of layout %i, with everybody beside it",
  (layout) => {
    expect(places(layout, 2, { sharing: 1 })).toEqual([
      [1, "screen", 0, 0, 960, 720],
      [1, "camera", 960, 0, 320, 240],
      [2, "camera", 960, 240, 320, 240],
    ]);
  },
);

test("every place is even and inside the picture, whatever its size", () => {
  for (const [width, height] of [
    [1280, 720],
    [360, 640],
    [638, 358],
    [16, 16],
  ] as const) {
    for (const layout of [0, 1, 2]) {
      for (let count = 1; count <= 4; count++) {
        for (const cell of cellsFor({ width, height, mixedVideoLayout: layout }, people(count))) {
          for (const value of [cell.x, cell.y, cell.width, cell.height]) expect(value % 2).toBe(0);
          expect(cell.x + cell.width).toBeLessThanOrEqual(width);
          expect(cell.y + cell.height).toBeLessThanOrEqual(height);
          expect(Math.min(cell.width, cell.height)).toBeGreaterThan(0);
        }
      }
    }
  }
});
