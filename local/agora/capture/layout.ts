/** Where one picture stands in the recording; pixels, all even. */
export interface Cell {
  uid: number;
  kind: "camera" | "screen";
  x: number;
  y: number;
  width: number;
  height: number;
  /** A camera fills its cell and loses its edges; of a screen everything stays visible. */
  fill: boolean;
}

export interface LayoutPerson {
  uid: number;
  /** Somebody who shows neither camera nor screen still has a cell, with their name. */
  hasScreen: boolean;
}

/** Numbers of Agora's mixedVideoLayout; 3 (custom) is drawn as best fit. */
export const layouts = { floating: 0, bestFit: 1, vertical: 2 } as const;

export interface LayoutOrder {
  mixedVideoLayout: number;
  width: number;
  height: number;
  /** Whose picture is the large one in the vertical layout. */
  maxResolutionUid?: number | undefined;
}

/**
 * Places everybody, in the order of joining. While somebody shares a screen, the latest one is the large picture of every layout and
 * everybody's camera stands beside it.
 */
export function cellsFor(order: LayoutOrder, people: LayoutPerson[]): Cell[] {
  const cameras = people.map(({ uid }) => ({ uid, kind: "camera" as const, fill: true }));
  const sharing = people.findLast(({ hasScreen }) => hasScreen);
  if (sharing) {
    return sideBySide(order, { uid: sharing.uid, kind: "screen" as const, fill: false }, cameras);
  }
  const [first] = cameras;
  if (!first) return [];
  if (order.mixedVideoLayout === layouts.floating) return floating(order, first, cameras.slice(1));
  if (order.mixedVideoLayout === layouts.vertical) {
    const large = cameras.find(({ uid }) => uid === order.maxResolutionUid) ?? first;
    return sideBySide(
      order,
      large,
      cameras.filter((camera) => camera !== large),
    );
  }
  return bestFit(order, cameras);
}

type Picture = Pick<Cell, "uid" | "kind" | "fill">;

/** One fills the picture, two share it in columns, up to four in two rows. */
function bestFit({ width, height }: LayoutOrder, pictures: Picture[]): Cell[] {
  const columns = pictures.length > 1 ? Math.ceil(Math.sqrt(pictures.length)) : 1;
  const rows = Math.ceil(pictures.length / columns);
  return pictures.map((picture, index) => {
    const row = Math.floor(index / columns);
    const inRow = row === rows - 1 ? pictures.length - row * columns : columns;
    const cellWidth = width / columns;
    // A last row that is not full stands in the middle.
    const left = (width - inRow * cellWidth) / 2 + (index % columns) * cellWidth;
    return cell(picture, left, (row * height) / rows, cellWidth, height / rows);
  });
}

/** One fills the picture, the others stand small in a row at its lower edge. */
function floating({ width, height }: LayoutOrder, large: Picture, small: Picture[]): Cell[] {
  const margin = Math.min(width, height) / 40;
  const [smallWidth, smallHeight] = [width / 4 - margin, height / 4 - margin];
  return [
    cell(large, 0, 0, width, height),
    ...small.map((picture, index) =>
      cell(
        picture,
        margin + index * (smallWidth + margin),
        height - smallHeight - margin,
        smallWidth,
        smallHeight,
      ),
    ),
  ];
}

/** A large picture on the left, the others in a column on the right. */
function sideBySide({ width, height }: LayoutOrder, large: Picture, small: Picture[]): Cell[] {
  if (small.length === 0) return [cell(large, 0, 0, width, height)];
  const column = width / 4;
  const rowHeight = height / Math.max(3, small.length);
  return [
    cell(large, 0, 0, width - column, height),
    ...small.map((picture, index) => cell(picture, width - column, index * rowHeight, column, rowHeight)),
  ];
}

function cell(picture: Picture, x: number, y: number, width: number, height: number): Cell {
  const even = (value: number) => 2 * Math.floor(value / 2 + 1e-6);
  const [left, top] = [even(x), even(y)];
  return { ...picture, x: left, y: top, width: even(x + width) - left, height: even(y + height) - top };
}
