/**
 * A picture that tells when it was drawn: twelve fields in the middle, black or white, are the time in Gray code, so that a picture
 * caught between two moments is at most one step wrong. The ground's colour tells whose clock it is.
 */
export const stepMs = 50;
const columns = 6;
const rows = 2;
/** After this long the clock begins again. */
export const cycleMs = stepMs * 2 ** (columns * rows);

/** The fields' places as shares of width and height: in the middle, where no layout crops. */
export const fields = Array.from({ length: columns * rows }, (_, index) => ({
  x: 0.32 + (0.36 * (index % columns)) / columns,
  y: 0.36 + (0.28 * Math.floor(index / columns)) / rows,
  width: 0.36 / columns,
  height: 0.28 / rows,
}));

/** The fields that are white at a moment (UTC ms), in their order. */
export function litFields(wallMs: number): boolean[] {
  const step = Math.floor((wallMs % cycleMs) / stepMs);
  const gray = step ^ (step >> 1);
  return fields.map((_, index) => ((gray >> index) & 1) === 1);
}

/** The moment that fields show, ms since the clock's last beginning: the middle of its step. */
export function momentOf(lit: boolean[]): number {
  let gray = 0;
  lit.forEach((isLit, index) => {
    if (isLit) gray |= 1 << index;
  });
  let step = gray;
  for (let shift = 1; shift < fields.length; shift *= 2) step ^= step >> shift;
  return (step + 0.5) * stepMs;
}
