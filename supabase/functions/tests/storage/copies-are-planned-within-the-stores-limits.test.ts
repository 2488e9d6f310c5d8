import assert from "node:assert/strict";
import { copyPlan, partBytesFor } from "../../_shared/storage/copy-plan.ts";
import { recordingObjects } from "../../_shared/storage/inventory.ts";
import { orphanUploads } from "../../_shared/storage/orphan-uploads.ts";
import { createSliceBudget } from "../../_shared/storage/slice-budget.ts";
import { BEGIN_MS } from "../jobs/virtual-clock.ts";
import { mp4File, PREFIX, playlistFile, sliceFile } from "./bucket-in-memory.ts";

const MIB = 2 ** 20;

Deno.test("what fits into a part goes in one piece; everything else in parts of one size, 10,000 at most", () => {
  assert.equal(partBytesFor(16 * MIB, 16 * MIB), null);
  assert.equal(partBytesFor(16 * MIB + 1, 16 * MIB), 16 * MIB);
  assert.equal(partBytesFor(160_000 * MIB, 16 * MIB), 16 * MIB);
  assert.equal(partBytesFor(160_000 * MIB + 1, 16 * MIB), 32 * MIB);
  assert.equal(partBytesFor(6 * MIB, 1), 5 * MIB, "no store takes smaller ones");
  assert.equal(partBytesFor(0, 16 * MIB), null);
});

const object = (name: string, sizeBytes = 10, etag = "e") => {
  const [found] = recordingObjects(PREFIX, [{ key: `${PREFIX}a1/${name}`, sizeBytes }]);
  assert.ok(found !== undefined);
  return { ...found, etag, lastModified: new Date(BEGIN_MS) };
};

Deno.test("what we have is not planned, what is empty neither; the same size alone is no proof", () => {
  const source = [
    object(sliceFile(0)),
    object(sliceFile(1)),
    object(sliceFile(2), 0),
    object(playlistFile),
    object(mp4File()),
  ];
  const ours = new Map([
    [source[0]?.key ?? "", { sizeBytes: 10, etag: "e" }],
    [source[1]?.key ?? "", { sizeBytes: 10, etag: "another" }],
  ]);
  assert.deepEqual(
    copyPlan(source, ours, 16 * MIB).map(({ destination_key, copy_order, content_type }) => [
      destination_key.slice(PREFIX.length + 3),
      copy_order,
      content_type,
    ]),
    [
      [sliceFile(1), 0, "video/mp2t"],
      [playlistFile, 1, "application/vnd.apple.mpegurl"],
      [mp4File(), 2, "video/mp4"],
    ],
  );
});

Deno.test("a slice ends at its bytes, at its requests, and in time; its first piece is always begun", () => {
  let now = 0;
  const budget = (limits: { bytes: number; requests: number; untilMs: number }) =>
    createSliceBudget(limits, () => now);
  const byBytes = budget({ bytes: 10, requests: 99, untilMs: 99 });
  assert.deepEqual([byBytes.take(11), byBytes.take(1), byBytes.isUsedUp], [true, false, true]);
  const byRequests = budget({ bytes: 100, requests: 2, untilMs: 99 });
  assert.deepEqual([byRequests.take(1), byRequests.take(1), byRequests.isUsedUp], [true, true, false]);
  assert.deepEqual([byRequests.take(1), byRequests.isUsedUp], [false, true]);
  const byTime = budget({ bytes: 100, requests: 9, untilMs: 50 });
  assert.equal(byTime.take(1), true);
  now = 50;
  assert.equal(byTime.take(1), false);
});

Deno.test("an upload is an orphan when nobody knows it and it is old enough", () => {
  const upload = (uploadId: string, ageMs: number) => ({
    key: "k",
    uploadId,
    initiated: new Date(BEGIN_MS - ageMs),
  });
  const listed = [upload("known", 9_000), upload("new", 1_000), upload("old", 1_001)];
  assert.deepEqual(
    orphanUploads(listed, ["known"], BEGIN_MS, 1_000).map(({ uploadId }) => uploadId),
    ["old"],
  );
});
