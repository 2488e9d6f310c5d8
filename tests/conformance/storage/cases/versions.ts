import assert from "node:assert/strict";
import { allOf, type Case } from "../case.ts";
import { documentIn, type Target } from "../target.ts";

const TEXT = { contentType: "text/plain" };

async function versionsOf({ client, key }: Target, name: string) {
  const pages = await allOf(client.listVersions(key(name), { maxKeys: 2 }));
  return pages.flatMap(({ versions }) => versions);
}

/** Every bucket of B2 has versions; elsewhere they have to be switched on first (`--prepare`). */
export const VERSION_CASES: Case[] = [
  {
    name: "the bucket keeps versions",
    holds: "b2",
    async run({ raw }) {
      const told = await documentIn(await raw({ query: { versioning: "" } }));
      assert.equal(told.Status, "Enabled");
    },
  },
  {
    name: "an overwrite keeps the old bytes under their version",
    holds: "b2",
    async run(target) {
      const { client, key } = target;
      const first = await client.put(key("over"), "one", TEXT);
      const second = await client.put(key("over"), "three", TEXT);
      assert.ok(first.versionId !== undefined && second.versionId !== undefined);
      const listed = await versionsOf(target, "over");
      assert.deepEqual(
        listed.map(({ versionId, isLatest, sizeBytes }) => [versionId, isLatest, sizeBytes]),
        [
          [second.versionId, true, 5],
          [first.versionId, false, 3],
        ],
      );
      const { stream } = await client.get(key("over"), { versionId: first.versionId });
      assert.equal(await new Response(stream).text(), "one");
    },
  },
  {
    name: "a delete without a version hides, and deleting the marker brings the object back",
    holds: "b2",
    async run(target) {
      const { client, key, raw } = target;
      await client.put(key("hidden"), "bytes", TEXT);
      const hidden = await raw({ method: "DELETE", key: "hidden" });
      assert.deepEqual([hidden.status, hidden.headers.get("x-amz-delete-marker")], [204, "true"]);
      assert.equal(await client.head(key("hidden")), undefined);
      const marker = (await versionsOf(target, "hidden")).find(({ isDeleteMarker }) => isDeleteMarker);
      assert.ok(marker?.isLatest);
      await client.deleteVersion(key("hidden"), marker.versionId);
      assert.equal(await client.getText(key("hidden"), 10), "bytes");
    },
  },
  {
    name: "a deleted version is gone for good, and deleting it again is no error",
    holds: "b2",
    async run(target) {
      const { client, key } = target;
      const { versionId = "" } = await client.put(key("gone"), "bytes", TEXT);
      await client.deleteVersion(key("gone"), versionId);
      await client.deleteVersion(key("gone"), versionId);
      assert.deepEqual(await versionsOf(target, "gone"), []);
    },
  },
  {
    name: "many versions go in one request, odd names among them",
    holds: "b2",
    async run(target) {
      const { client, key } = target;
      for (const name of ["many/a&b <c>", "many/ä", "many/1", "many/1"])
        await client.put(key(name), name, TEXT);
      const asked = (await versionsOf(target, "many/")).map(({ key: name, versionId }) => ({
        key: name,
        versionId,
      }));
      assert.equal(asked.length, 4);
      const { deleted, failed } = await client.deleteVersions(asked);
      assert.deepEqual([deleted.length, failed], [4, []]);
      assert.deepEqual(await versionsOf(target, "many/"), []);
    },
  },
];
