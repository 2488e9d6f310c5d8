import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listObjects } from "../listing.ts";
import { ObjectIndex } from "../object-index.ts";
import type { Version } from "../records.ts";
import type { StoreUnderTest } from "./running-store.ts";
import { BUCKET, expectRefusal, OTHER_BUCKET, startStore, texts } from "./running-store.ts";

// UTF-8 order: the emoji (4 bytes) comes after U+FF5E (3 bytes), although its UTF-16 surrogates are smaller.
const keys = ["a", "a b", "a/1", "a/2", "a/b/3", "b", "z/1", "z/2", "～", "🎥"];

let store: StoreUnderTest;
beforeAll(async () => {
  store = await startStore();
  for (const key of keys.toReversed()) await store.send(store.url(key), { method: "PUT", body: key });
});
afterAll(() => store.remove());

async function list(query: string) {
  const xml = await (await store.send(`/${BUCKET}?${query}`)).text();
  return {
    xml,
    keys: texts(xml, "Key"),
    prefixes: texts(xml, "CommonPrefixes").map((inner) => inner.replace(/<\/?Prefix>/g, "")),
    truncated: texts(xml, "IsTruncated")[0] === "true",
  };
}

describe("ListObjectsV2", () => {
  test("lists in the order of UTF-8 bytes", async () => {
    expect((await list("list-type=2")).keys).toEqual(keys);
  });

  test("narrows to a prefix and folds at a delimiter", async () => {
    expect((await list("list-type=2&prefix=a/")).keys).toEqual(["a/1", "a/2", "a/b/3"]);
    const folded = await list("list-type=2&delimiter=/");
    expect([folded.keys, folded.prefixes]).toEqual([
      ["a", "a b", "b", "～", "🎥"],
      ["a/", "z/"],
    ]);
    const below = await list("list-type=2&delimiter=/&prefix=a/");
    expect([below.keys, below.prefixes]).toEqual([["a/1", "a/2"], ["a/b/"]]);
  });

  test("starts after a name", async () => {
    expect((await list("list-type=2&start-after=b")).keys).toEqual(["z/1", "z/2", "～", "🎥"]);
  });

  test.each([1, 2, 3, 7])("pages of %i rows tell everything once, with and without folding", async (size) => {
    for (const [delimiter, expected] of [
      ["", keys],
      ["&delimiter=/", ["a", "a b", "a/", "b", "z/", "～", "🎥"]],
    ] as const) {
      const seen: string[] = [];
      let token = "";
      for (let page = 0; page <= keys.length; page++) {
        const answer = await list(`list-type=2&max-keys=${size}${delimiter}${token}`);
        expect(answer.keys.length + answer.prefixes.length).toBeLessThanOrEqual(size);
        seen.push(...answer.keys, ...answer.prefixes);
        if (!answer.truncated) break;
        token = `&continuation-token=${encodeURIComponent(texts(answer.xml, "NextContinuationToken")[0] ?? "")}`;
      }
      expect([...seen].sort()).toEqual([...expected].sort());
    }
  });

  test("encodes names for encoding-type=url", async () => {
    const encoded = await list("list-type=2&encoding-type=url");
    expect(encoded.keys).toContain("a+b");
    expect(encoded.keys).toContain("a/b/3");
    expect(encoded.keys).toContain("%F0%9F%8E%A5");
    await expectRefusal(store.send(`/${BUCKET}?list-type=2&encoding-type=hex`), 400, "InvalidArgument");
  });

  test("of no rows is empty and complete", async () => {
    const answer = await list("list-type=2&max-keys=0");
    expect([answer.keys, answer.truncated]).toEqual([[], false]);
  });

  test("refuses a foreign token and a size that is no number", async () => {
    await expectRefusal(store.send(`/${BUCKET}?list-type=2&continuation-token=abc`), 400, "InvalidArgument");
    await expectRefusal(store.send(`/${BUCKET}?list-type=2&max-keys=-1`), 400, "InvalidArgument");
    await expectRefusal(store.send(`/${BUCKET}?list-type=2&max-keys=many`), 400, "InvalidArgument");
  });

  test("of another bucket needs a key for it", async () => {
    await expectRefusal(store.send(`/${OTHER_BUCKET}?list-type=2`), 403, "AccessDenied");
  });
});

test("ListObjects pages by marker, over folded prefixes too", async () => {
  const seen: string[] = [];
  let marker = "";
  for (let page = 0; page <= keys.length; page++) {
    const answer = await list(`delimiter=/&max-keys=1&marker=${encodeURIComponent(marker)}`);
    seen.push(...answer.keys, ...answer.prefixes);
    if (!answer.truncated) break;
    marker = texts(answer.xml, "NextMarker")[0] ?? "";
  }
  expect(seen).toEqual(["a", "a b", "a/", "b", "z/", "～", "🎥"]);
});

test("a page in the middle of 100,000 names takes milliseconds", () => {
  const index = new ObjectIndex();
  const version = { modifiedMs: 0, marker: false, size: 1, etag: "e", pieces: [], headers: {} } as const;
  for (let number = 0; number < 100_000; number++) {
    const key = `call-${String(number % 500).padStart(4, "0")}/${String(number).padStart(6, "0")}.ts`;
    index.add({ ...version, pieces: [], key, versionId: String(number) } satisfies Version);
  }
  index.keys();
  const start = performance.now();
  const page = listObjects(index, { prefix: "call-0250/", delimiter: "" }, 1000);
  const folders = listObjects(index, { prefix: "", delimiter: "/" }, 1000);
  const ms = performance.now() - start;
  expect([page.items.length, folders.commonPrefixes.length]).toEqual([200, 500]);
  expect(ms).toBeLessThan(100);
});
