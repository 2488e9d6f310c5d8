import assert from "node:assert/strict";
import { allOf, type Case, failsWith } from "../case.ts";
import { bytesOf, md5, refusalIn, streamOf } from "../target.ts";

const TEXT = { contentType: "text/plain" };
const bytesIn = async (stream: ReadableStream<Uint8Array>) =>
  new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());

const ODD_KEYS = [
  "a b.txt",
  "ä/ö/ü.txt",
  "plus+plus.txt",
  "percent%41.txt",
  "quotes'()*!.txt",
  "semi;colon:at@&=$,?#[].txt",
  "double//slash.txt",
  "emoji-😀.txt",
  'xml-<&>".txt',
];

export const OBJECT_CASES: Case[] = [
  {
    name: "an object is read back byte for byte, with type, size, ETag and time",
    holds: "s3",
    async run({ client, key }) {
      const bytes = bytesOf(100_001);
      const { etag } = await client.put(key("plain"), bytes, { contentType: "video/mp2t" });
      const { stream, ...facts } = await client.get(key("plain"));
      assert.deepEqual(await bytesIn(stream), bytes);
      assert.equal(facts.contentType, "video/mp2t");
      assert.equal(facts.sizeBytes, bytes.length);
      assert.equal(facts.etag, etag);
      assert.ok(Math.abs(facts.lastModified.getTime() - Date.now()) < 15 * 60_000);
    },
  },
  {
    name: "the ETag of a single put is its MD5",
    holds: "s3",
    async run({ client, key }) {
      assert.equal((await client.put(key("md5"), "hello", TEXT)).etag, md5("hello"));
    },
  },
  {
    name: "a stream is written with its length, byte for byte",
    holds: "s3",
    async run({ client, key }) {
      const bytes = bytesOf(3_000_001, 2);
      const { etag } = await client.putStream(key("streamed"), streamOf(bytes), bytes.length, TEXT);
      assert.equal(etag, md5(bytes));
      assert.deepEqual(await bytesIn((await client.get(key("streamed"))).stream), bytes);
    },
  },
  {
    name: "an empty object is an object",
    holds: "s3",
    async run({ client, key }) {
      await client.put(key("empty"), "", TEXT);
      assert.equal((await client.head(key("empty")))?.sizeBytes, 0);
      assert.equal(await client.getText(key("empty"), 10), "");
    },
  },
  {
    name: "names with spaces, umlauts, signs and double slashes are kept as they are",
    holds: "s3",
    async run({ client, key }) {
      for (const name of ODD_KEYS) await client.put(key(`odd/${name}`), name, TEXT);
      for (const name of ODD_KEYS) assert.equal(await client.getText(key(`odd/${name}`), 100), name);
      const listed = [];
      for await (const { objects } of client.list(key("odd/"))) listed.push(...objects.map((one) => one.key));
      assert.deepEqual(listed.sort(), ODD_KEYS.map((name) => key(`odd/${name}`)).sort());
    },
  },
  {
    name: "a head tells what a get would, and of nothing it tells nothing",
    holds: "s3",
    async run({ client, key }) {
      const { etag } = await client.put(key("head"), "hello", TEXT);
      const facts = await client.head(key("head"));
      assert.deepEqual([facts?.etag, facts?.sizeBytes, facts?.contentType], [etag, 5, "text/plain"]);
      assert.equal(await client.head(key("nothing")), undefined);
      await failsWith(client.get(key("nothing")), "object_missing");
    },
  },
  {
    name: "ranges are served exactly: first, middle, open, reaching over the end",
    holds: "s3",
    async run({ client, key }) {
      await client.put(key("range"), "0123456789", TEXT);
      const read = async (range: { from: number; to?: number }) => {
        const { stream, totalBytes } = await client.get(key("range"), { range });
        assert.equal(totalBytes, 10);
        return new TextDecoder().decode(await bytesIn(stream));
      };
      assert.equal(await read({ from: 0, to: 0 }), "0");
      assert.equal(await read({ from: 3, to: 5 }), "345");
      assert.equal(await read({ from: 7 }), "789");
      assert.equal(await read({ from: 8, to: 99 }), "89");
    },
  },
  {
    name: "a range of the last bytes is served",
    holds: "s3",
    async run({ client, key, raw }) {
      await client.put(key("suffix"), "0123456789", TEXT);
      const answer = await raw({ key: "suffix", headers: { range: "bytes=-3" } });
      assert.equal(answer.status, 206);
      assert.equal(answer.headers.get("content-range"), "bytes 7-9/10");
      assert.equal(await answer.text(), "789");
    },
  },
  {
    name: "a range beyond the end is 416 InvalidRange",
    holds: "s3",
    async run({ client, key, raw }) {
      await client.put(key("short"), "01234", TEXT);
      const answer = await raw({ key: "short", headers: { range: "bytes=5-9" } });
      assert.deepEqual(await refusalIn(answer), [416, "InvalidRange"]);
    },
  },
  {
    name: "a read is held to its If-Match",
    holds: "s3",
    async run({ client, key }) {
      const { etag } = await client.put(key("match"), "one", TEXT);
      const range = { from: 0, to: 1 };
      await (await client.get(key("match"), { range, ifMatch: etag })).stream.cancel();
      await client.put(key("match"), "two", TEXT);
      await failsWith(client.get(key("match"), { range, ifMatch: etag }), "object_changed");
    },
  },
  {
    name: "an object is copied with its type, and held to the ETag of its source",
    holds: "s3",
    async run({ client, key }) {
      const { etag } = await client.put(key("source ä"), "hello", { contentType: "video/mp4" });
      const copied = await client.copy(key("source ä"), key("copied"), { ifMatch: etag });
      assert.equal(copied.etag, etag);
      assert.equal((await client.head(key("copied")))?.contentType, "video/mp4");
      await failsWith(
        client.copy(key("source ä"), key("copied"), { ifMatch: "0".repeat(32) }),
        "object_changed",
      );
      await failsWith(client.copy(key("no source"), key("copied")), "object_missing");
    },
  },
  {
    name: "lists come in order, over pages, from a name on, and folded at a delimiter",
    holds: "s3",
    async run({ client, key }) {
      const names = ["l/1", "l/2", "l/3", "l/4/a", "l/4/b", "l/5"];
      for (const name of names) await client.put(key(name), name, TEXT);
      const pages = await allOf(client.list(key("l/"), { maxKeys: 2 }));
      assert.deepEqual(
        pages.flatMap(({ objects }) => objects.map((one) => one.key)),
        names.map(key),
      );
      assert.ok(pages.length >= 3);
      const [one] = pages[0]?.objects ?? [];
      assert.deepEqual([one?.sizeBytes, one?.etag], [3, md5("l/1")]);
      const after = await allOf(client.list(key("l/"), { startAfter: key("l/4/a") }));
      assert.deepEqual(
        after.flatMap(({ objects }) => objects.map((object) => object.key)),
        [key("l/4/b"), key("l/5")],
      );
      const folded = await allOf(client.list(key("l/"), { delimiter: "/" }));
      assert.deepEqual(
        folded.flatMap(({ prefixes }) => prefixes),
        [key("l/4/")],
      );
    },
  },
  {
    name: "a body with another Content-MD5 is 400 BadDigest",
    holds: "s3",
    async run({ raw }) {
      const headers = { "content-md5": Buffer.from(md5("bye"), "hex").toString("base64") };
      assert.deepEqual(await refusalIn(await raw({ method: "PUT", key: "digest", headers, body: "hello" })), [
        400,
        "BadDigest",
      ]);
    },
  },
  {
    name: "a body with another SHA-256 than was signed is refused with 400",
    holds: "s3",
    async run({ raw }) {
      const headers = { "x-amz-content-sha256": "0".repeat(64) };
      assert.equal((await raw({ method: "PUT", key: "sha", headers, body: "hello" })).status, 400);
    },
  },
  {
    name: "a body in HTTP chunks without a length is 411 MissingContentLength",
    holds: "assumed",
    async run({ chunked }) {
      const { status, text } = await chunked("chunked");
      assert.equal(status, 411);
      assert.match(text, /MissingContentLength/);
    },
  },
  {
    name: "checksum headers are 400 InvalidArgument, up and down",
    holds: "b2",
    async run({ client, key, raw }) {
      await client.put(key("checksum"), "hello", TEXT);
      const answers = [
        await raw({
          method: "PUT",
          key: "c1",
          headers: { "x-amz-checksum-crc32": "NhCmhg==" },
          body: "hello",
        }),
        await raw({
          method: "PUT",
          key: "c2",
          headers: { "x-amz-sdk-checksum-algorithm": "CRC32" },
          body: "hello",
        }),
        await raw({ key: "checksum", headers: { "x-amz-checksum-mode": "ENABLED" } }),
      ];
      for (const answer of answers) assert.deepEqual(await refusalIn(answer), [400, "InvalidArgument"]);
    },
  },
  {
    name: "an object has no access list of its own",
    holds: "b2",
    async run({ raw }) {
      const headers = { "x-amz-acl": "public-read" };
      assert.equal((await raw({ method: "PUT", key: "acl", headers, body: "hello" })).status, 400);
    },
  },
  {
    name: "tags are not implemented",
    holds: "b2",
    async run({ client, key, raw }) {
      await client.put(key("tags"), "hello", TEXT);
      assert.equal((await raw({ key: "tags", query: { tagging: "" } })).status, 501);
    },
  },
  {
    name: "a conditional write is not implemented",
    holds: "assumed",
    async run({ raw }) {
      const headers = { "if-none-match": "*" };
      assert.equal((await raw({ method: "PUT", key: "cond", headers, body: "hello" })).status, 501);
    },
  },
];
