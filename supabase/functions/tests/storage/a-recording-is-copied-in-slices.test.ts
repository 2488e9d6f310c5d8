import assert from "node:assert/strict";
import type { StoreErrorCode } from "../../_shared/b2/errors.ts";
import { done, type Job, type Outcome } from "../../_shared/jobs/job.ts";
import { copyPlan } from "../../_shared/storage/copy-plan.ts";
import { recordingObjects } from "../../_shared/storage/inventory.ts";
import { type TransferDeps, transferFiles } from "../../_shared/storage/transfer.ts";
import { jobForTest, recordingForTest } from "../jobs/jobs-for-tests.ts";
import { BEGIN_MS } from "../jobs/virtual-clock.ts";
import { mp4File, PREFIX, playlistFile, sliceFile } from "./bucket-in-memory.ts";
import { bytesOf, md5, transferWorld } from "./stores-in-memory.ts";

const PART = 5 * 1024 * 1024;
const key = (name: string) => `${PREFIX}a1/${name}`;
const settings = { transfer_part_bytes: PART, transfer_slice_bytes: 4 * PART, transfer_parallel_objects: 2 };

/** Three slices, their playlist and an MP4 of two parts and a half, all in the staging store and planned. */
function staged() {
  const world = transferWorld();
  for (const index of [0, 1, 2]) world.staging.set(key(sliceFile(index)), bytesOf(1_000 + index, index));
  world.staging.set(key(playlistFile), bytesOf(300, 9));
  world.staging.set(key(mp4File()), bytesOf(2.5 * PART, 5), "etag-of-parts-3");
  plan(world);
  return world;
}

type World = ReturnType<typeof staged>;

function plan({ staging, transfers }: ReturnType<typeof transferWorld>) {
  const source = [...staging.objects].flatMap(([objectKey, { bytes, etag }]) =>
    recordingObjects(PREFIX, [{ key: objectKey, sizeBytes: bytes.length }]).map((object) => ({
      ...object,
      etag,
      lastModified: new Date(BEGIN_MS),
    })),
  );
  transfers.plan(copyPlan(source, new Map(), PART));
}

async function run(
  world: World,
  change: Partial<Job> = {},
  deps: TransferDeps = world.depsForOne(),
): Promise<Outcome> {
  const job = jobForTest({ recording: recordingForTest({ status: "processing" }), ...change });
  return await transferFiles(job, settings, deps);
}

function assertCopied({ staging, ours }: World, ...names: string[]) {
  const sumOf = ({ objects }: World["ours"], name: string) =>
    md5(objects.get(key(name))?.bytes ?? bytesOf(0));
  for (const name of names) assert.equal(sumOf(ours, name), sumOf(staging, name));
}

const everything = [sliceFile(0), sliceFile(1), sliceFile(2), playlistFile, mp4File()];
const codeOf = (outcome: Outcome) => (outcome.outcome === "retry" ? outcome.error.code : outcome.outcome);

Deno.test("slices first, then their playlist, then the MP4 in parts; everything is verified, and no source is touched", async () => {
  const world = staged();
  assert.deepEqual(await run(world), done);
  assertCopied(world, ...everything);
  const written = world.ours.story.filter((line) => /^(put|part|complete)/.test(line));
  assert.deepEqual(
    new Set(written.slice(0, 3)),
    new Set([0, 1, 2].map((index) => `put ${sliceFile(index)}`)),
  );
  assert.deepEqual(written.slice(3), [
    `put ${playlistFile}`,
    ...[1, 2, 3].map((number) => `part ${number} ${mp4File()}`),
    `complete ${mp4File()}`,
  ]);
  assert.ok(world.transfers.rows.every(({ outcome, etagAgrees }) => outcome === "done" && etagAgrees));
  assert.ok(
    world.staging.objects.size === 5 && !world.staging.story.some((line) => line.startsWith("delete")),
  );
  assert.deepEqual(
    everything.map((name) => world.ours.objects.get(key(name))?.contentType),
    ["video/mp2t", "video/mp2t", "video/mp2t", "application/vnd.apple.mpegurl", ""],
  );
});

Deno.test("an invocation ends where its slice is used up, and the next one goes on there", async () => {
  const world = staged();
  world.staging.set(key(mp4File()), bytesOf(9.5 * PART, 5), "etag-of-parts-10");
  world.transfers.rows = [];
  plan(world);
  const fresh = { outcome: "snooze", afterMs: 0, endsInvocation: true };
  assert.deepEqual(await run(world), fresh);
  assert.deepEqual(
    world.transfers.row(mp4File()).parts.map((part) => part.part_number),
    [1, 2, 3],
  );
  assert.deepEqual(await run(world), fresh);
  assert.deepEqual(await run(world), done);
  assertCopied(world, ...everything);
  assert.equal(world.ours.story.filter((line) => line.startsWith("part")).length, 10);
});

Deno.test("two recordings in one invocation share what it may use, and take turns", async () => {
  const world = staged();
  const deps = world.depsForOne();
  const outcomes = await Promise.all([run(world, {}, deps), run(world, {}, deps)]);
  assert.deepEqual(outcomes, [done, done]);
  assert.equal(world.ours.story.filter((line) => line.startsWith("part")).length, 3);
});

Deno.test("after a kill what the store has and nobody saved is found, not sent again", async () => {
  const world = staged();
  let isAlive = true;
  const deps = world.depsForOne();
  // The worker dies after the second part arrived and before it was saved.
  deps.database = {
    ...deps.database,
    recordParts: (id, uploadId, parts) => {
      isAlive &&= parts[0]?.part_number !== 2;
      return isAlive ? world.transfers.calls.recordParts(id, uploadId, parts) : new Promise(() => {});
    },
  };
  world.ours.refuse = (request) => (!isAlive && request === "part 3" ? "store_unreachable" : undefined);
  const dying = run(world, {}, deps);
  dying.catch(() => {});
  while (isAlive) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(world.transfers.row(mp4File()).parts.length, 1);
  world.ours.refuse = () => undefined;
  world.ours.story.length = 0;
  assert.deepEqual(await run(world, { attempts: 2 }), done);
  assertCopied(world, ...everything);
  assert.deepEqual(
    world.ours.story.filter((line) => line.startsWith("part")),
    [`part 3 ${mp4File()}`],
  );
});

Deno.test("small files that arrived and were not saved are found too", async () => {
  const world = staged();
  world.ours.set(key(sliceFile(0)), bytesOf(1_000, 0));
  world.ours.set(key(sliceFile(1)), bytesOf(1_001, 77));
  assert.deepEqual(await run(world, { attempts: 2 }), done);
  assertCopied(world, ...everything);
  const puts = world.ours.story.filter((line) => line.startsWith("put"));
  assert.ok(!puts.includes(`put ${sliceFile(0)}`), "the same bytes are not sent again");
  assert.ok(puts.includes(`put ${sliceFile(1)}`), "other bytes of the same size are");
});

Deno.test("a source that changes under the copy begins anew, and no mixture is made", async () => {
  const world = staged();
  const before = world.transfers.row(mp4File());
  world.staging.refuse = (request) => {
    if (request === `get ${PART}`) world.staging.set(key(mp4File()), bytesOf(2.5 * PART, 8), "changed");
    return undefined;
  };
  assert.equal(codeOf(await run(world)), "object_changed");
  assert.equal(before.outcome, "source_changed");
  assert.equal(world.ours.uploads.size, 0, "what was sent of the old one is given up");
  assert.equal(world.ours.objects.get(key(mp4File())), undefined);
  world.staging.refuse = () => undefined;
  assert.deepEqual(await run(world), done);
  assertCopied(world, ...everything);
});

Deno.test("a source that is gone costs only itself", async () => {
  const world = staged();
  world.staging.objects.delete(key(sliceFile(1)));
  assert.equal(codeOf(await run(world)), "object_missing");
  assert.equal(world.transfers.row(sliceFile(1)).outcome, "source_missing");
  assert.deepEqual(await run(world), done);
  assertCopied(world, sliceFile(0), sliceFile(2), playlistFile, mp4File());
});

Deno.test("an upload that the store forgot begins anew", async () => {
  const world = staged();
  world.ours.refuse = (request) => {
    if (request === "part 2") world.ours.uploads.clear();
    return undefined;
  };
  assert.equal(codeOf(await run(world)), "upload_missing");
  assert.equal(world.transfers.rows.filter(({ outcome }) => outcome === "upload_lost").length, 1);
  world.ours.refuse = () => undefined;
  assert.deepEqual(await run(world), done);
  assertCopied(world, ...everything);
});

Deno.test("a copy that is not as long as its source is made again, not believed", async () => {
  const world = staged();
  let isFirst = true;
  const head = world.ours.client.head;
  world.ours.client.head = async (objectKey) => {
    const seen = await head(objectKey);
    if (!isFirst || seen === undefined) return seen;
    isFirst = false;
    return { ...seen, sizeBytes: seen.sizeBytes - 1 };
  };
  assert.equal(codeOf(await run(world)), "copy_differs");
  assert.deepEqual(await run(world), done);
  assertCopied(world, ...everything);
});

Deno.test("an etag of another form is noted and no reason to fail", async () => {
  const world = staged();
  const head = world.ours.client.head;
  world.ours.client.head = async (objectKey) => {
    const seen = await head(objectKey);
    return seen && { ...seen, etag: "not an md5" };
  };
  assert.deepEqual(await run(world), done);
  assert.equal(world.transfers.row(mp4File()).etagAgrees, false);
});

const peoplesTurn: StoreErrorCode[] = [
  "store_access_denied",
  "store_key_unknown",
  "store_daily_cap_exceeded",
  "store_full",
  "bucket_missing",
  "store_unavailable",
];
for (const code of peoplesTurn) {
  for (const which of ["staging", "ours"] as const) {
    Deno.test(`${code} of ${which}: nothing is given up or deleted, and it goes on when it is mended`, async () => {
      const world = staged();
      world[which].refuse = () => code;
      assert.equal(codeOf(await run(world)), code);
      world[which].refuse = (request) => (/^(part 2|get 5)/.test(request) ? code : undefined);
      assert.equal(codeOf(await run(world)), code);
      assert.ok(world.transfers.rows.every(({ outcome }) => outcome === undefined || outcome === "done"));
      assert.equal(world.staging.objects.size, 5);
      assert.equal(world.transfers.row(mp4File()).parts.length, 1, "what arrived before is kept");
      world[which].refuse = () => undefined;
      assert.deepEqual(await run(world), done);
      assertCopied(world, ...everything);
    });
  }
}

Deno.test("a file that can never be copied does not poison the rest", async () => {
  const world = staged();
  world.ours.refuse = (request, objectKey) =>
    request === "put" && objectKey.endsWith(sliceFile(1)) ? "store_request_invalid" : undefined;
  assert.deepEqual(await run(world), done);
  assert.equal(world.transfers.row(sliceFile(1)).error, "store_request_invalid");
  assertCopied(world, sliceFile(0), sliceFile(2), playlistFile, mp4File());
});

Deno.test("a store that is not configured any more is named, and waited for", async () => {
  const world = staged();
  const deps = { ...world.depsForOne(), source: undefined };
  assert.equal(codeOf(await run(world, {}, deps)), "source_store_unknown");
});

for (const status of ["starting", "recording", "stopping", "failed"] as const) {
  Deno.test(`for a recording that is ${status} nothing is copied and nothing deleted`, async () => {
    const world = staged();
    assert.deepEqual(await run(world, { recording: recordingForTest({ status }) }), done);
    assert.deepEqual([...world.ours.story, ...world.staging.story], []);
  });
}

Deno.test("sources go only when the recording is recorded, and only those that were copied", async () => {
  const world = staged();
  await run(world);
  const recorded = { recording: recordingForTest({ status: "recorded" }) };
  world.staging.set(key(playlistFile), bytesOf(310, 9));
  world.staging.set(key("notes.txt"), bytesOf(5));
  assert.deepEqual(await run(world, recorded), { outcome: "snooze", afterMs: 3_600_000 });
  assert.deepEqual([...world.staging.objects.keys()], [key(playlistFile), key("notes.txt")]);
  world.staging.objects.delete(key(playlistFile));
  assert.deepEqual(await run(world, recorded), done);
});

Deno.test("a key with odd characters is not a file of the engine: it is neither copied nor deleted", () => {
  for (const name of [
    "ä ö.ts",
    "a%2Fb.mp4",
    "..",
    `x${sliceFile(0)}`,
    `${sliceFile(0)}?x=1`,
    `\u0000${mp4File()}`,
  ]) {
    assert.deepEqual(recordingObjects(PREFIX, [{ key: key(name), sizeBytes: 1 }]), []);
  }
});
