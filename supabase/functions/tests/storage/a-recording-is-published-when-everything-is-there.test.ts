import assert from "node:assert/strict";
import { storeError } from "../../_shared/b2/errors.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import { done, type EngineTask, type JobRecording } from "../../_shared/jobs/job.ts";
import { type CollectDeps, collectFiles } from "../../_shared/storage/collect.ts";
import { readManifestSegments } from "../../_shared/storage/manifest.ts";
import { jobForTest, RECORDING_ID, recordingForTest, taskForTest } from "../jobs/jobs-for-tests.ts";
import { BEGIN_MS } from "../jobs/virtual-clock.ts";
import {
  mp4File,
  PREFIX,
  playlistFile,
  playlistText,
  sliceFile,
  storageForTest,
  wholeAttempt,
  without,
} from "./bucket-in-memory.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

async function collect(
  objects: Record<string, string | number | Uint8Array<ArrayBuffer>>,
  change: {
    waitedMs?: number;
    tasks?: Partial<EngineTask>[];
    recording?: Partial<JobRecording>;
    settings?: Record<string, number>;
  } = {},
) {
  const storage = storageForTest(objects);
  const job = jobForTest({
    kind: "collect",
    recording: recordingForTest({
      status: "processing",
      stopped_at: BEGIN_MS - (change.waitedMs ?? 5_000),
      ...change.recording,
    }),
    tasks: (change.tasks ?? [{ state: "gone" }]).map((task) => taskForTest(task)),
  });
  const settings = { processing_deadline: 259_200, ...change.settings };
  const outcome = await collectFiles(job, settings, storage.deps);
  return { ...storage, outcome };
}

Deno.test("when everything is there, the manifest is written, then the rows", async () => {
  const { outcome, story, published, put } = await collect(wholeAttempt(3));
  assert.deepEqual(outcome, done);
  assert.deepEqual(story, [`list ${PREFIX}`, `put ${PREFIX}manifest.json`, "publish"]);
  assert.equal(published[0]?.files.length, 2);
  const manifest = put[`${PREFIX}manifest.json`] ?? "";
  const bytes = new TextEncoder().encode(manifest).length;
  const written: { totals: { stored_bytes: number } } = JSON.parse(manifest);
  assert.equal(published[0]?.totals.stored_bytes, written.totals.stored_bytes + bytes);
});

Deno.test("what was written can be read back as what is to be played", async () => {
  const objects = without({ ...wholeAttempt(3), ...wholeAttempt(1, "a2/") }, `a1/${sliceFile(1)}`);
  const { put } = await collect(objects, { waitedMs: 72 * HOUR });
  const bucket = { getText: (key: string) => Promise.resolve(put[key] ?? "") };
  assert.deepEqual(await readManifestSegments(RECORDING_ID, bucket), [
    { uri: `${PREFIX}a1/${sliceFile(0)}`, durationSeconds: 15, isDiscontinuity: false },
    { uri: `${PREFIX}a1/${sliceFile(2)}`, durationSeconds: 15, isDiscontinuity: true },
    { uri: `${PREFIX}a2/${sliceFile(0)}`, durationSeconds: 15, isDiscontinuity: true },
  ]);
});

for (const status of ["starting", "recording", "stopping", "recorded", "failed", "expired"] as const) {
  Deno.test(`a recording that is ${status} is not collected`, async () => {
    const { outcome, story } = await collect(wholeAttempt(1), { recording: { status } });
    assert.deepEqual([outcome, story], [done, []]);
  });
}

for (const [waitedMs, afterMs] of [
  [0, 1_000],
  [59_999, 1_000],
  [MINUTE, 10_000],
  [20 * MINUTE, 300_000],
] as const) {
  Deno.test(`${waitedMs / 1000} s after the end it looks again in ${afterMs / 1000} s`, async () => {
    const { outcome, story, logged } = await collect(without(wholeAttempt(2), `a1/${sliceFile(1)}`), {
      waitedMs,
    });
    assert.deepEqual(outcome, { outcome: "snooze", afterMs });
    assert.equal(story[0], `list ${PREFIX}`);
    assert.equal(logged.length, waitedMs < MINUTE ? 0 : 1);
  });
}

Deno.test("the log says what is awaited", async () => {
  const { logged } = await collect(without(wholeAttempt(2), `a1/${sliceFile(1)}`), { waitedMs: MINUTE });
  assert.deepEqual(logged, [
    { step: "files.awaited", recording_id: RECORDING_ID, what: "1 slices of attempt 1" },
  ]);
});

Deno.test("what is there while the rest is late can be played: it is saved once, with a manifest that says so", async () => {
  const objects = without(wholeAttempt(3), `a1/${sliceFile(2)}`);
  const early = await collect(objects, { waitedMs: 9_999 });
  assert.deepEqual(early.story, [`list ${PREFIX}`]);
  const late = await collect(objects, { waitedMs: 10_000 });
  assert.deepEqual(late.story, [`list ${PREFIX}`, `put ${PREFIX}manifest.json`, "await files"]);
  assert.equal(late.outcome.outcome, "snooze");
  const written: { is_complete: boolean; totals: { is_partial: boolean } } = JSON.parse(
    late.put[`${PREFIX}manifest.json`] ?? "",
  );
  assert.deepEqual([written.is_complete, written.totals.is_partial], [false, true]);
  const { duration_ms, size_bytes, stored_bytes } = late.published[0]?.totals ?? assert.fail();
  const again = await collect(objects, {
    waitedMs: 12_000,
    recording: { duration_ms, size_bytes, stored_bytes },
  });
  assert.deepEqual(again.story, [`list ${PREFIX}`]);
  const more = await collect(without(wholeAttempt(4), `a1/${sliceFile(3)}`), {
    waitedMs: 12_000,
    recording: { duration_ms, size_bytes, stored_bytes },
  });
  assert.equal(more.story.at(-1), "await files");
});

Deno.test("an MP4 alone is measured by its own header", async () => {
  const header = new Uint8Array(8 + 8 + 24);
  const view = new DataView(header.buffer);
  view.setUint32(0, header.length);
  header.set(new TextEncoder().encode("moov"), 4);
  view.setUint32(8, header.length - 8);
  header.set(new TextEncoder().encode("mvhd"), 12);
  view.setUint32(28, 1_000);
  view.setUint32(32, 61_500);
  const { published } = await collect(
    { [`a1/${mp4File()}`]: header },
    { waitedMs: 20 * MINUTE, tasks: [{ files: [{ fileName: mp4File() }] }] },
  );
  assert.equal(published[0]?.files[0]?.duration_ms, 61_500);
  assert.equal(published[0]?.totals.duration_ms, 61_500);
});

Deno.test("what calls itself a playlist and is longer than any is not read", async () => {
  const objects = { ...wholeAttempt(1), [`a1/${playlistFile}`]: 9 * 1024 * 1024 };
  const { published } = await collect(objects, { waitedMs: 71 * HOUR });
  assert.deepEqual(
    published[0]?.files.map(({ kind }) => kind),
    ["mp4"],
  );
});

Deno.test("the database's own deadline decides what the last chance is: a retry has the whole time again", async () => {
  const objects = without(wholeAttempt(3), `a1/${sliceFile(2)}`);
  const recording = { deadline_at: BEGIN_MS + 72 * HOUR };
  assert.equal((await collect(objects, { waitedMs: 100 * HOUR, recording })).outcome.outcome, "snooze");
});

Deno.test("at the last chance what is there is published as partial", async () => {
  const objects = without(wholeAttempt(3), `a1/${sliceFile(2)}`, `a1/${mp4File()}`);
  const late = await collect(objects, { waitedMs: 71 * HOUR - 1 });
  assert.equal(late.outcome.outcome, "snooze");
  const { outcome, published } = await collect(objects, { waitedMs: 71 * HOUR });
  assert.equal(outcome, done);
  assert.deepEqual([published[0]?.totals.is_partial, published[0]?.totals.duration_ms], [true, 30_000]);
});

Deno.test("a short deadline keeps a last chance of its own, and waits before it", async () => {
  const objects = without(wholeAttempt(3), `a1/${sliceFile(2)}`);
  const settings = { processing_deadline: 600 };
  assert.equal((await collect(objects, { waitedMs: 539_000, settings })).outcome.outcome, "snooze");
  assert.deepEqual((await collect(objects, { waitedMs: 540_000, settings })).outcome, done);
});

Deno.test("an MP4 that nobody named is not waited for longer than uploads usually take", async () => {
  const objects = without(wholeAttempt(3), `a1/${mp4File()}`);
  assert.equal((await collect(objects, { waitedMs: 20 * MINUTE - 1 })).outcome.outcome, "snooze");
  const { outcome, published } = await collect(objects, { waitedMs: 20 * MINUTE });
  assert.deepEqual([outcome, published[0]?.totals.is_partial], [done, false]);
});

Deno.test("a recorder that nobody sent anything to recorded nothing: that is known at once", async () => {
  const { outcome, story } = await collect(
    {},
    { tasks: [{ is_empty: true }, { sid: null, superseded: true }] },
  );
  assert.deepEqual([outcome, story.at(-1)], [done, "files.empty"]);
});

Deno.test("an attempt that was given up may have recorded: it is waited for", async () => {
  const tasks = [{ superseded: true }, { is_empty: true, attempt: 2 }];
  assert.equal((await collect({}, { tasks })).outcome.outcome, "snooze");
});

Deno.test("an engine that named nothing and wrote nothing within its usual time recorded nothing", async () => {
  assert.equal((await collect({}, { waitedMs: 20 * MINUTE - 1 })).outcome.outcome, "snooze");
  assert.equal((await collect({}, { waitedMs: 20 * MINUTE })).story.at(-1), "files.empty");
});

Deno.test("how long that is, is a setting: the one word that says so dies with a worker that is killed before it saved it", async () => {
  const settings = { usual_upload_limit: 300 };
  const early = await collect({}, { waitedMs: 300_000 - 1, settings });
  assert.ok(
    early.outcome.outcome === "snooze" && early.outcome.afterMs === 1,
    "the look that decides is not late",
  );
  assert.equal((await collect({}, { waitedMs: 300_000, settings })).story.at(-1), "files.empty");
});

Deno.test("files that were named and never came are missing, not empty, and only at the last chance", async () => {
  const tasks = [{ files: [{ fileName: mp4File() }] }];
  assert.equal((await collect({}, { tasks, waitedMs: 70 * HOUR })).outcome.outcome, "snooze");
  assert.equal((await collect({}, { tasks, waitedMs: 71 * HOUR })).story.at(-1), "files.missing");
});

Deno.test("a playlist without a single slice is nothing to play", async () => {
  const objects = { [`a1/${playlistFile}`]: playlistText([sliceFile(0)]) };
  assert.equal((await collect(objects)).outcome.outcome, "snooze");
  const tasks = [{ files: [{ fileName: playlistFile }] }];
  assert.equal((await collect(objects, { tasks, waitedMs: 71 * HOUR })).story.at(-1), "files.missing");
});

const collectable = () =>
  jobForTest({
    recording: recordingForTest({ status: "processing", stopped_at: BEGIN_MS }),
    tasks: [taskForTest()],
  });

Deno.test("a store that fails, or refuses us, is asked again: people mend it, and the files are safe", async () => {
  for (const code of ["store_unreachable", "store_access_denied", "store_full"] as const) {
    const { deps, story } = storageForTest(wholeAttempt(1));
    deps.bucket.put = () => Promise.reject(new RecorderFailure(storeError(code)));
    const outcome = await collectFiles(collectable(), {}, deps);
    assert.ok(outcome.outcome === "retry" && outcome.error.code === code);
    assert.ok(!story.includes("publish"));
  }
});

Deno.test("a store that refuses us to the end is what the recording fails with, unless there is something to play", async () => {
  const { deps, story } = storageForTest(wholeAttempt(1));
  // biome-ignore lint/correctness/useYield: it never comes to a page.
  deps.bucket.list = async function* () {
    throw new RecorderFailure(storeError("store_access_denied"));
  };
  const lookUntil = async (leftMs: number, recording: Partial<JobRecording> = {}) => {
    const ending = recordingForTest({ status: "processing", deadline_at: BEGIN_MS + leftMs, ...recording });
    return (await collectFiles(jobForTest({ kind: "collect", recording: ending }), {}, deps)).outcome;
  };
  assert.equal(await lookUntil(61_000), "retry");
  assert.equal(await lookUntil(60_000), "give_up");
  assert.equal(await lookUntil(60_000, { size_bytes: 1_000 }), "retry");
  assert.deepEqual(story, []);
});

Deno.test("copies that the store refuses to the end: the lane says that nothing is there, and leaves the cause to who knows it", async () => {
  const { deps, story } = storageForTest({});
  const said: unknown[][] = [];
  const lookAt = (leftMs: number) => {
    const recording = recordingForTest({ status: "processing", deadline_at: BEGIN_MS + leftMs });
    const source = { name: "staging", store: deps.bucket };
    const database = {
      ...deps.database,
      planTransfers: () => Promise.resolve({ open_count: 1, given_up: [] }),
      filesFailed: (...told: unknown[]) => {
        said.push(told);
        return Promise.resolve(true);
      },
    };
    const job = jobForTest({ kind: "collect", recording, tasks: [taskForTest({ state: "gone" })] });
    return collectFiles(job, {}, { ...deps, source, database } as CollectDeps);
  };
  assert.equal((await lookAt(2 * HOUR)).outcome, "snooze");
  assert.deepEqual(said, []);
  assert.deepEqual(await lookAt(HOUR), done);
  // Without an error of its own: recorder_api.files_failed puts there what the copies met.
  assert.deepEqual(said, [[RECORDING_ID, "files.missing"]]);
  assert.ok(!story.includes("publish"));
});

Deno.test("what the database says is not softened", async () => {
  const { deps } = storageForTest(wholeAttempt(1));
  deps.database.publish = () =>
    Promise.reject(
      new RecorderFailure({ code: "recording_not_found", blame: "us", retry: "never", message: "No." }),
    );
  await assert.rejects(collectFiles(collectable(), {}, deps), /recording_not_found/);
});
