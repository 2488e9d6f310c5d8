/**
 * A 5x7 bitmap font drawn for this picture. Each glyph is seven characters, one per row from top to bottom; each
 * character is a base-32 digit whose five bits are the pixels of that row, leftmost first.
 */
const glyphs: Record<string, string> = {
  " ": "0000000",
  ":": "0cc0cc0",
  "-": "000v000",
  ".": "00000cc",
  _: "000000v",
  "/": "01248g0",
  "+": "044v440",
  "0": "ehjlphe",
  "1": "4c4444e",
  "2": "eh1248v",
  "3": "v2421he",
  "4": "26aiv22",
  "5": "vgu11he",
  "6": "68guhhe",
  "7": "v124888",
  "8": "ehhehhe",
  "9": "ehhf12c",
  A: "ehhvhhh",
  B: "uhhuhhu",
  C: "ehggghe",
  D: "sihhhis",
  E: "vgguggv",
  F: "vgguggg",
  G: "ehgnhhf",
  H: "hhhvhhh",
  I: "e44444e",
  J: "72222ic",
  K: "hikokih",
  L: "ggggggv",
  M: "hrllhhh",
  N: "hhpljhh",
  O: "ehhhhhe",
  P: "uhhuggg",
  Q: "ehhhlid",
  R: "uhhukih",
  S: "fgge11u",
  T: "v444444",
  U: "hhhhhhe",
  V: "hhhhha4",
  W: "hhhllla",
  X: "hha4ahh",
  Y: "hhha444",
  Z: "v1248gv",
  a: "00e1fhf",
  b: "ggmphhu",
  c: "00egghe",
  d: "11djhhf",
  e: "00ehvge",
  f: "698s888",
  g: "0fhhf1e",
  h: "ggmphhh",
  i: "40c444e",
  j: "20622ic",
  k: "ggikoki",
  l: "c44444e",
  m: "00qllhh",
  n: "00mphhh",
  o: "00ehhhe",
  p: "00uhugg",
  q: "00djf11",
  r: "00mpggg",
  s: "00fge1u",
  t: "88s8896",
  u: "00hhhjd",
  v: "00hhha4",
  w: "00hhlla",
  x: "00ha4ah",
  y: "00hhf1e",
  z: "00v248v",
};
const unknownGlyph = "vhhhhhv";

/** Width and height of one character's cell in font pixels, with the gap to its neighbour. */
export const cell = { width: 6, height: 8 } as const;

/** The pixels that are lit in `character`: font coordinates, x 0..4, y 0..6. A character without a glyph is a box. */
export function litPixels(character: string): { x: number; y: number }[] {
  const rows = glyphs[character] ?? unknownGlyph;
  const lit: { x: number; y: number }[] = [];
  for (let y = 0; y < rows.length; y++) {
    const bits = Number.parseInt(rows.charAt(y), 32);
    for (let x = 0; x < 5; x++) if (bits & (16 >> x)) lit.push({ x, y });
  }
  return lit;
}
