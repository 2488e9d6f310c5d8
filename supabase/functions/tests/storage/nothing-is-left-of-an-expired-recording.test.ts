import assert from "node:assert/strict";
import { storeError } from "../../_shared/b2/errors.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import type { RecorderDatabase } from "../../_shared/jobs/database.ts";
import type { FoundFiles } from "../../_shared/jobs/deletion-calls.ts";
import { done, type JobRecording } from "../../_shared/jobs/job.ts";
import { expireRecording } from "../../_shared/storage/expire.ts";
import { jobForTest, RECORDING_ID, recordingForTest } from "../jobs/jobs-for-tests.ts";
import { BEGIN_MS } from "../jobs/virtual-clock.ts";
import { versionedBucket } from "./versioned-bucket.ts";

const PREFIX = `recordings/${RECORDING_ID.replaceAll("-", "")}/`;
const NEIGHBOUR = "recordings/0f6c2f6e5d5a4a3e9a510c9a4a1c7e12/a1/x.ts";

type Verdict = Awaited<ReturnType<RecorderDatabase["beginDeletion"]>>;

function stage(verdict: Verdict = "begun") {
  const store = versionedBucket();
  for (const index of [0, 1, 2, 3]) store.add(`${PREFIX}a1/slice-${index}.ts`, 1_000);
  store.add(`${PREFIX}manifest.json`, 70);
  store.add(`${PREFIX}manifest.json`, 80);
  store.hide(`${PREFIX}a1/slice-3.ts`);
  store.beginUpload(`${PREFIX}a1/video.mp4`, "upload-1");
  store.add(NEIGHBOUR, 500);
  store.beginUpload(NEIGHBOUR, "upload-of-another");

  const story = store.story;
  const found: FoundFiles[] = [];
  const finished: { versions: number; bytes: number }[] = [];
  let nowMs = BEGIN_MS;
  const deps = {
    stores: [store.bucket],
    now: () => nowMs,
    log: () => {},
    database: {
      beginDeletion(_id: string, what: FoundFiles) {
        story.push("begin");
        found.push(what);
        return Promise.resolve(verdict);
      },
      finishDeletion(_id: string, deleted: { versions: number; bytes: number }) {
        story.push("finish");
        finished.push(deleted);
        return Promise.resolve(true);
      },
    },
  };
  const run = (change: Partial<JobRecording> = {}) =>
    expireRecording(
      jobForTest({ kind: "expire", recording: recordingForTest({ status: "recorded", ...change }) }),
      deps,
    );
  return { ...store, deps, run, found, finished, pass: (ms: number) => (nowMs += ms) };
}

const untouched = [`${NEIGHBOUR} v0008`, `${NEIGHBOUR} upload-of-another`];

Deno.test("every version, hide marker and unfinished upload of the recording is gone, and nothing of its neighbour", async () => {
  const { run, contents, found, finished, story } = stage();
  assert.deepEqual(await run(), done);
  assert.deepEqual(contents(), untouched);
  assert.deepEqual(found, [{ objects: 5, versions: 7, uploads: 1, bytes: 4_150 }]);
  assert.deepEqual(finished, [{ versions: 7, bytes: 4_150 }]);
  // Rights before the first byte; the manifest first; the listing that proves it before the word that says so.
  const changes = story.filter((step) => !step.startsWith("list"));
  assert.deepEqual(changes, ["begin", "delete 2", "delete 3", "delete 2", "abort upload-1", "finish"]);
  assert.deepEqual(story.slice(-2), [`list ${PREFIX}`, "finish"]);
});

for (const verdict of ["held", "kept", "not_over", "nothing_there"] as const) {
  Deno.test(`a recording of which the database says ${verdict} is left alone`, async () => {
    const { run, contents, finished } = stage(verdict);
    const before = contents();
    assert.deepEqual(await run(), done);
    assert.deepEqual(contents(), before);
    assert.deepEqual(finished, []);
  });
}

for (const status of ["starting", "recording", "stopping", "processing"] as const) {
  Deno.test(`a recording that is ${status} is not even looked at`, async () => {
    const { run, story } = stage();
    assert.deepEqual(await run({ status }), done);
    assert.deepEqual(story, []);
  });
}

Deno.test("a deletion that had begun goes on without asking again", async () => {
  const { run, contents, found, finished } = stage("held");
  assert.deepEqual(await run({ deletion_began_at: BEGIN_MS }), done);
  assert.deepEqual(contents(), untouched);
  assert.deepEqual([found, finished.length], [[], 1]);
});

Deno.test("what comes after everything was gone is deleted too", async () => {
  const { run, contents, found, finished } = stage();
  assert.deepEqual(await run({ status: "expired", deletion_began_at: BEGIN_MS }), done);
  assert.deepEqual(contents(), untouched);
  assert.deepEqual([found, finished], [[], [{ versions: 7, bytes: 4_150 }]]);
});

Deno.test("killed at any call, the next run ends it, and the manifest was the first to go", async () => {
  for (let deadly = 1; ; deadly++) {
    const { run, contents, failAt, finished } = stage();
    let calls = 0;
    failAt(() => {
      calls += 1;
      if (calls === deadly) throw new Error("killed");
    });
    try {
      await run();
      assert.ok(deadly > 4, "every call that changes something was killed once");
      return;
    } catch {
      assert.deepEqual(finished, []);
      if (deadly > 1) assert.ok(!contents().some((one) => one.includes("manifest.json")));
    }
    failAt(() => {});
    assert.deepEqual(await run({ deletion_began_at: BEGIN_MS }), done);
    assert.deepEqual(contents(), untouched);
    assert.equal(finished.length, 1);
  }
});

Deno.test("a folder that takes longer than a slice is gone on with at once", async () => {
  const { run, pass, failAt, finished, contents } = stage();
  failAt(() => pass(20_001));
  assert.deepEqual(await run(), { outcome: "snooze", afterMs: 0 });
  assert.deepEqual(finished, []);
  failAt(() => {});
  assert.deepEqual(await run({ deletion_began_at: BEGIN_MS }), done);
  assert.deepEqual(contents(), untouched);
});

Deno.test("a store that still lists what it deleted is asked again after a minute, and nothing is claimed", async () => {
  const { run, bucket, finished } = stage();
  bucket.deleteVersions = (asked) => Promise.resolve({ deleted: [...asked], failed: [] });
  assert.deepEqual(await run(), { outcome: "snooze", afterMs: 60_000 });
  assert.deepEqual(finished, []);
});

Deno.test("a version that the store will not delete is tried again for as long as it takes people to mend it", async () => {
  const { run, bucket, finished } = stage();
  const error = storeError("store_access_denied");
  bucket.deleteVersions = (asked) =>
    Promise.resolve({ deleted: [], failed: asked.map((one) => ({ ...one, error })) });
  assert.deepEqual(await run(), { outcome: "retry", error, afterMs: 600_000 });
  assert.deepEqual(finished, []);
});

Deno.test("a store that is down costs a pause, a mistake of ours is not hidden", async () => {
  const { run, failAt } = stage();
  const error = storeError("store_unavailable", { retryAfterMs: 7_000 });
  failAt(() => {
    throw new RecorderFailure(error);
  });
  assert.deepEqual(await run(), { outcome: "retry", error, afterMs: 7_000 });
  failAt(() => {
    throw new RecorderFailure(storeError("store_request_invalid"));
  });
  await assert.rejects(run(), /store_request_invalid/);
});

Deno.test("what the staging store still holds goes too, and counts", async () => {
  const { run, deps, contents, found } = stage();
  const staging = versionedBucket();
  staging.add(`${PREFIX}a1/slice-0.ts`, 1_000);
  staging.add(NEIGHBOUR, 5);
  deps.stores.push(staging.bucket);
  assert.deepEqual(await run(), done);
  assert.deepEqual([contents(), staging.contents()], [untouched, [`${NEIGHBOUR} v0002`]]);
  assert.deepEqual(found, [{ objects: 6, versions: 8, uploads: 1, bytes: 5_150 }]);
});
