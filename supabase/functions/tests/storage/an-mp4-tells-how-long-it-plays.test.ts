import assert from "node:assert/strict";
import { mp4DurationMs } from "../../_shared/storage/mp4-duration.ts";

type Bytes = Uint8Array<ArrayBuffer>;
const join = (...parts: Bytes[]): Bytes => {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
};
const u32 = (...values: number[]): Bytes => {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, index) => {
    view.setUint32(index * 4, value);
  });
  return new Uint8Array(view.buffer);
};
const name = (text: string): Bytes => new Uint8Array([...text].map((letter) => letter.charCodeAt(0)));
const box = (type: string, body: Bytes): Bytes => join(u32(body.length + 8), name(type), body);
const largeBox = (type: string, body: Bytes): Bytes =>
  join(u32(1), name(type), u32(0, body.length + 16), body);

const ftyp = box("ftyp", name("isom0000"));
const mdat = box("mdat", new Uint8Array(5_000));
const mvhd = (timescale: number, duration: number) => box("mvhd", u32(0, 0, 0, timescale, duration, 0x10000));
const longMvhd = (timescale: number, high: number, low: number) =>
  box("mvhd", u32(0x01000000, 0, 0, 0, 0, timescale, high, low));
const moov = (header: Bytes) => box("moov", join(header, box("trak", new Uint8Array(6_000))));

/** What is found, and how many bytes were read for it. */
async function measure(file: Bytes) {
  let read = 0;
  const durationMs = await mp4DurationMs(file.length, (offset, length) => {
    assert.ok(offset >= 0 && length > 0 && offset + length <= file.length, "reads within the file");
    read += length;
    return Promise.resolve(file.slice(offset, offset + length));
  });
  return { durationMs, read };
}

Deno.test("its header is found before the media and behind them, and little is read", async () => {
  for (const file of [
    join(ftyp, moov(mvhd(1000, 61_500)), mdat),
    join(ftyp, mdat, moov(mvhd(90_000, 5_535_000))),
  ]) {
    const { durationMs, read } = await measure(file);
    assert.equal(durationMs, 61_500);
    assert.ok(read < 4_200, `${read} bytes`);
  }
});

Deno.test("long headers and large boxes are read", async () => {
  assert.equal((await measure(join(ftyp, moov(longMvhd(1000, 1, 0))))).durationMs, 2 ** 32);
  assert.equal(
    (await measure(join(ftyp, largeBox("mdat", new Uint8Array(100)), moov(mvhd(10, 25))))).durationMs,
    2_500,
  );
});

Deno.test("other boxes may stand before the header", async () => {
  const free = box("free", new Uint8Array(20));
  assert.equal((await measure(join(ftyp, free, box("moov", join(free, mvhd(1000, 7)))))).durationMs, 7);
});

for (const [what, file] of Object.entries({
  "no header": join(ftyp, mdat),
  "a length that is not known": join(ftyp, moov(mvhd(1000, 0xffffffff))),
  "fragments, whose length stands elsewhere": join(ftyp, moov(mvhd(1000, 0))),
  "no time scale": join(ftyp, moov(mvhd(0, 1000))),
  "a box that is longer than the file": join(ftyp, u32(900_000), name("mdat"), new Uint8Array(10)),
  "a box that is shorter than itself": join(ftyp, u32(3), name("mdat"), new Uint8Array(10)),
  "a cut-off header": join(ftyp, u32(20), name("moov"), u32(108), name("mvhd"), u32(0)),
  zeros: new Uint8Array(64),
  "no byte at all": new Uint8Array(0),
  text: name("this is not a film at all, it is a letter"),
})) {
  Deno.test(`a file with ${what} does not tell`, async () => {
    assert.equal((await measure(file)).durationMs, undefined);
  });
}
