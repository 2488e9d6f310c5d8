import { expect, it } from "vitest";
import { createFreshAddresses } from "../../src/pages/player/fresh-addresses.ts";

it("an address that ended is replaced by the one of the same file that a newer playlist names", () => {
  const fresh = createFreshAddresses();
  const old = "https://store.example/bucket/a1/0001.ts?Signature=old";
  expect(fresh.of(old)).toBe(old);
  const count = fresh.learn(
    "#EXTM3U\n#EXTINF:4,\nhttps://store.example/bucket/a1/0001.ts?Signature=new\n#EXTINF:4,\r\n0002.ts?Signature=new\r\n#EXT-X-ENDLIST\n",
    "https://store.example/bucket/a1/playlist.m3u8?token=x",
  );
  expect(count).toBe(2);
  expect(fresh.of(old)).toBe("https://store.example/bucket/a1/0001.ts?Signature=new");
  expect(fresh.of("https://store.example/bucket/a1/0002.ts?Signature=old")).toMatch(/Signature=new$/);
  // Another store's file of the same name is another file.
  const elsewhere = "https://other.example/bucket/a1/0001.ts";
  expect(fresh.of(elsewhere)).toBe(elsewhere);
});
