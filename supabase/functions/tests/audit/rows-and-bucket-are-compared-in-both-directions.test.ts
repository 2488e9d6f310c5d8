import assert from "node:assert/strict";
import { channelInFileNames } from "../../_shared/agora/files.ts";
import { type AuditDeps, auditBucket } from "../../_shared/audit/audit.ts";
import type { Finding, RecordingFacts } from "../../_shared/audit/facts.ts";
import { storeError } from "../../_shared/b2/errors.ts";
import { RecorderFailure } from "../../_shared/errors.ts";
import type { Reached } from "../../_shared/jobs/audit-calls.ts";
import { done } from "../../_shared/jobs/job.ts";
import { CHANNEL, SID } from "../jobs/jobs-for-tests.ts";
import { BEGIN_MS } from "../jobs/virtual-clock.ts";
import { versionedBucket } from "../storage/versioned-bucket.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = BEGIN_MS + 30 * DAY;
const STEM = `${SID}_${channelInFileNames(CHANNEL)}`;
const slice = (index: number) => `${STEM}_2026112218000${index}000.ts`;
const idOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
const folderOf = (number: number) => `recordings/${idOf(number).replaceAll("-", "")}/`;

function stage(options: { pageSize?: number; hasSource?: boolean } = {}) {
  const store = versionedBucket(options);
  const source = versionedBucket(options);
  const rows = new Map<string, RecordingFacts>();
  const open: string[] = [];
  const findings = new Map<string, Finding & { isRepaired: boolean; isResolved: boolean; audit: number }>();
  const repaired: string[] = [];
  let audit = { number: 0, afterKey: null as string | null, afterId: null as string | null, isOver: true };
  let dies = false;
  const uuidOf = (number: number) => `99999999-0000-4000-8000-${String(number).padStart(12, "0")}`;

  // As the functions of the migration do.
  const database: AuditDeps["database"] = {
    beginAudit() {
      if (audit.isOver) audit = { number: audit.number + 1, afterKey: null, afterId: null, isOver: false };
      const { number, afterKey, afterId } = audit;
      return Promise.resolve({
        audit_id: uuidOf(number),
        began_at: NOW,
        after_key: afterKey,
        after_id: afterId,
      });
    },
    auditFacts({ after, upTo }, ids, limit) {
      const wanted = [...rows.values()].filter(
        ({ id, status }) =>
          ids.includes(id) ||
          (status === "recorded" && upTo !== null && id <= upTo && (after === null || id > after)),
      );
      return Promise.resolve(wanted.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit));
    },
    saveAudit(_auditId: string, found: Finding[], reached: Reached) {
      if (dies) return Promise.reject(new Error("killed"));
      audit.afterKey = reached.afterKey;
      audit.afterId = reached.afterId;
      for (const finding of found) {
        const name = `${finding.kind} ${finding.key}`;
        findings.set(name, { ...finding, isRepaired: false, isResolved: false, audit: audit.number });
      }
      return Promise.resolve(found.map(({ kind, key }) => ({ kind, key, id: `${kind} ${key}` })));
    },
    markRepaired(name) {
      const finding = findings.get(name);
      if (finding !== undefined) finding.isRepaired = true;
      return Promise.resolve(true);
    },
    repairRecording(id, kind) {
      repaired.push(`${kind} ${id}`);
      return Promise.resolve(true);
    },
    finishAudit() {
      audit.isOver = true;
      let count = 0;
      for (const finding of findings.values()) {
        if (finding.isResolved || finding.audit === audit.number) continue;
        finding.isResolved = true;
        count += 1;
      }
      return Promise.resolve(count);
    },
    openUploads: () => Promise.resolve(open),
  };
  const logged: string[] = [];
  const deps: AuditDeps = {
    database,
    bucket: store.bucket,
    source: options.hasSource ? { name: "staging", store: source.bucket } : undefined,
    now: () => NOW,
    log: (step) => logged.push(step),
  };

  const addRow = (number: number, change: Partial<RecordingFacts> = {}) => {
    const row: RecordingFacts = {
      id: idOf(number),
      status: "recorded",
      finished_at: BEGIN_MS,
      error_code: null,
      is_held: false,
      is_being_deleted: false,
      deleted_at: null,
      files: [],
      tasks: [],
      ...change,
    };
    rows.set(row.id, row);
    return row;
  };
  /** A recording as it should be: two slices, a playlist, an MP4 and the manifest. */
  const addWhole = (number: number, change: Partial<RecordingFacts> = {}) => {
    const folder = folderOf(number);
    store.add(`${folder}a1/${slice(0)}`, 100);
    store.add(`${folder}a1/${slice(1)}`, 200);
    store.add(`${folder}a1/${STEM}.m3u8`, 40);
    store.add(`${folder}a1/${STEM}_0.mp4`, 700);
    const files: RecordingFacts["files"] = [
      { kind: "playlist", attempt: 1, object_key: `${folder}a1/${STEM}.m3u8`, size_bytes: 300 },
      { kind: "mp4", attempt: 1, object_key: `${folder}a1/${STEM}_0.mp4`, size_bytes: 700 },
    ];
    const manifest = {
      version: 1,
      is_complete: true,
      written_at: new Date(BEGIN_MS).toISOString(),
      recording: {
        id: idOf(number),
        call_id: null,
        mentorship_id: null,
        instructor_id: null,
        mentee_id: null,
        channel: CHANNEL,
        quality: "720p",
        layout: "best_fit",
        attempt: 1,
        requested_by: null,
        requested_at: null,
        started_at: null,
        stop_requested_at: null,
        stop_reason: null,
        stopped_at: null,
      },
      totals: { duration_ms: 1, size_bytes: 700, stored_bytes: 1_040, is_partial: false, gaps: [] },
      files: [],
      segments: [0, 1].map((index) => ({
        object_key: `${folder}a1/${slice(index)}`,
        size_bytes: 100 * (index + 1),
        duration_ms: 15_000,
        is_discontinuity: false,
      })),
    };
    store.add(`${folder}manifest.json`, 90, { text: JSON.stringify(manifest) });
    addRow(number, {
      files,
      tasks: [{ attempt: 1, has_recorded: true, is_empty: false, superseded: false }],
      ...change,
    });
    return folder;
  };
  const remove = async (key: string) => {
    for await (const { versions } of store.bucket.listVersions(key))
      await store.bucket.deleteVersions(versions);
  };
  const run = async () => {
    for (let slices = 1; ; slices++) {
      const outcome = await auditBucket({ orphan_upload_age: 86_400 }, deps);
      if (outcome.outcome === "done") return slices;
      assert.deepEqual(outcome, { outcome: "snooze", afterMs: 0 });
      assert.ok(slices < 1_000, "the audit comes to an end");
    }
  };
  /** Open findings, repaired ones marked. */
  const open_ = () =>
    [...findings.entries()]
      .filter(([, { isResolved }]) => !isResolved)
      .map(([name, { isRepaired }]) => (isRepaired ? `${name} (repaired)` : name))
      .sort();
  return {
    ...store,
    source,
    deps,
    rows,
    open,
    findings,
    repaired,
    addRow,
    addWhole,
    remove,
    run,
    open_,
    die(now: boolean) {
      dies = now;
    },
  };
}

Deno.test("where rows and bucket agree nothing is found, in one slice", async () => {
  const { addWhole, run, open_, story } = stage();
  for (const number of [1, 2, 3]) addWhole(number);
  assert.equal(await run(), 1);
  assert.deepEqual(open_(), []);
  assert.deepEqual(story, ["list recordings/"], "and the bucket is listed once, no manifest is read");
});

Deno.test("an empty bucket and no rows are in order", async () => {
  const { run, open_ } = stage();
  await run();
  assert.deepEqual(open_(), []);
});

const lost: [what: string, key: (folder: string) => string, expected: (folder: string) => string[]][] = [
  ["an MP4", (f) => `${f}a1/${STEM}_0.mp4`, (f) => [`file_missing ${f}a1/${STEM}_0.mp4`]],
  ["a playlist", (f) => `${f}a1/${STEM}.m3u8`, (f) => [`file_missing ${f}a1/${STEM}.m3u8`]],
  ["a manifest", (f) => `${f}manifest.json`, (f) => [`file_missing ${f}manifest.json`]],
  ["a slice, by the manifest", (f) => `${f}a1/${slice(1)}`, (f) => [`file_missing ${f}a1/${slice(1)}`]],
];
for (const [what, key, expected] of lost) {
  Deno.test(`${what} that is gone is missing`, async () => {
    const { addWhole, remove, run, open_ } = stage();
    addWhole(1);
    const folder = addWhole(2);
    await remove(key(folder));
    await run();
    assert.deepEqual(open_(), expected(folder));
  });
  Deno.test(`${what} that was hidden is hidden, and is not deleted for it`, async () => {
    const { addWhole, hide, run, open_, contents } = stage();
    const folder = addWhole(1);
    hide(key(folder), new Date(BEGIN_MS));
    const before = contents();
    await run();
    const hidden = expected(folder).map((name) => name.replace("file_missing", "file_hidden"));
    assert.deepEqual(open_(), [...hidden, `old_versions ${key(folder)}`]);
    assert.deepEqual(contents(), before);
  });
}

Deno.test("a whole folder that is gone is missing file by file", async () => {
  const { addWhole, remove, run, open_ } = stage();
  const folder = addWhole(1);
  await remove(folder);
  await run();
  assert.deepEqual(open_(), [
    `file_missing ${folder}a1/`,
    `file_missing ${folder}a1/${STEM}.m3u8`,
    `file_missing ${folder}a1/${STEM}_0.mp4`,
    `file_missing ${folder}manifest.json`,
    `task_without_files ${folder}a1/`,
  ]);
});

Deno.test("a file of another size is told with both", async () => {
  const { addWhole, add, run, findings, remove } = stage();
  const folder = addWhole(1);
  await remove(`${folder}a1/${STEM}_0.mp4`);
  add(`${folder}a1/${STEM}_0.mp4`, 699);
  await run();
  const [finding] = [...findings.values()];
  assert.deepEqual(
    [finding?.kind, finding?.recording_id, finding?.detail],
    ["file_size_differs", idOf(1), { expected_bytes: 700, found_bytes: 699 }],
  );
});

Deno.test("objects of nobody are found and left alone, whatever their names are", async () => {
  const { addWhole, add, run, open_, findings, contents } = stage();
  addWhole(5);
  add(`${folderOf(4)}a1/x.ts`, 10);
  add(`${folderOf(4)}a1/x.ts`, 11);
  add(`${folderOf(4)}manifest.json`, 12);
  add("recordings/loose.txt", 13);
  add("recordings/", 0);
  add("recordings//odd", 1);
  add("recordings/ÄÖÜ 🎥/file", 14);
  add("recordings/00000000000040008000000000000005x/file", 15);
  add("elsewhere/not-ours", 16);
  const before = contents();
  await run();
  assert.deepEqual(open_(), [
    "unknown_object recordings/",
    "unknown_object recordings//",
    `unknown_object ${folderOf(4)}`,
    "unknown_object recordings/00000000000040008000000000000005x/",
    "unknown_object recordings/loose.txt",
    "unknown_object recordings/ÄÖÜ 🎥/",
  ]);
  assert.deepEqual(findings.get(`unknown_object ${folderOf(4)}`)?.detail, {
    objects: 2,
    versions: 3,
    bytes: 33,
  });
  assert.deepEqual(contents(), before);
});

Deno.test("an attempt that no engine task made is found, but for a recording that was rebuilt", async () => {
  const { addWhole, add, run, open_ } = stage();
  for (const number of [1, 2])
    add(`${addWhole(number, number === 2 ? { tasks: [] } : {})}a7/${slice(0)}`, 10);
  await run();
  assert.deepEqual(open_(), [`unknown_attempt ${folderOf(1)}a7/`]);
});

Deno.test("an engine task that recorded and left no file is found; an empty or superseded one owes none", async () => {
  const { addWhole, run, open_ } = stage();
  const task = { has_recorded: true, is_empty: false, superseded: false };
  addWhole(1, {
    tasks: [
      { ...task, attempt: 1 },
      { ...task, attempt: 2 },
      { ...task, attempt: 3, is_empty: true },
      { ...task, attempt: 4, superseded: true },
      { ...task, attempt: 5, has_recorded: false },
    ],
  });
  await run();
  assert.deepEqual(open_(), [`task_without_files ${folderOf(1)}a2/`]);
});

Deno.test("versions behind an overwrite are deleted, the newest stays", async () => {
  const { addWhole, add, run, open_, contents } = stage();
  const folder = addWhole(1);
  add(`${folder}manifest.json`, 95, { text: "{}", lastModified: new Date(NOW - 2 * HOUR) });
  await run();
  assert.deepEqual(open_(), [`old_versions ${folder}manifest.json (repaired)`]);
  assert.equal(contents().filter((one) => one.includes("manifest.json")).length, 1);
  assert.ok(contents().includes(`${folder}manifest.json v0006`));
  await run();
  assert.deepEqual(open_(), [], "the next audit finds them gone");
});

Deno.test("not those of a held recording, nor of a write that may still be under way", async () => {
  const { addWhole, add, run, open_, contents } = stage();
  add(`${addWhole(1, { is_held: true })}manifest.json`, 95, { lastModified: new Date(NOW - 2 * HOUR) });
  add(`${addWhole(2)}manifest.json`, 95, { lastModified: new Date(NOW - HOUR / 2) });
  const before = contents();
  await run();
  assert.deepEqual(open_(), [`old_versions ${folderOf(1)}manifest.json`]);
  assert.deepEqual(contents(), before);
});

Deno.test("what is left of an expired recording is handed to its deletion", async () => {
  const { addRow, add, hide, run, open_, repaired } = stage();
  addRow(1, { status: "expired", deleted_at: NOW - DAY });
  add(`${folderOf(1)}a1/late.ts`, 10);
  addRow(2, { status: "expired", deleted_at: NOW - 60_000 });
  add(`${folderOf(2)}a1/just-now.ts`, 10);
  addRow(3, { status: "expired", deleted_at: NOW - DAY });
  hide(`${folderOf(3)}a1/marker.ts`);
  addRow(4, { status: "expired", deleted_at: NOW - DAY });
  await run();
  assert.deepEqual(open_(), [
    `expired_left ${folderOf(1)} (repaired)`,
    `expired_left ${folderOf(3)} (repaired)`,
  ]);
  assert.deepEqual(repaired, [`expired_left ${idOf(1)}`, `expired_left ${idOf(3)}`]);
});

Deno.test("files that came after a recording had failed for want of them are collected again", async () => {
  const { addRow, add, run, open_, repaired } = stage();
  const failed = { status: "failed" as const, finished_at: NOW - DAY, error_code: "files_missing" };
  const late = { lastModified: new Date(NOW - HOUR) };
  addRow(1, failed);
  add(`${folderOf(1)}a1/${STEM}_0.mp4`, 10, late);
  addRow(2, failed);
  add(`${folderOf(2)}a1/${STEM}_0.mp4`, 10);
  addRow(3, { ...failed, error_code: "engine_start_failed" });
  add(`${folderOf(3)}a1/${STEM}_0.mp4`, 10, late);
  addRow(4, { ...failed, is_being_deleted: true });
  add(`${folderOf(4)}a1/${STEM}_0.mp4`, 10, late);
  addRow(5, failed);
  add(`${folderOf(5)}a1/notes.txt`, 10, late);
  await run();
  assert.deepEqual(open_(), [`late_files ${folderOf(1)} (repaired)`]);
  assert.deepEqual(repaired, [`late_files ${idOf(1)}`]);
});

for (const change of [
  { status: "starting" },
  { status: "recording" },
  { status: "stopping" },
  { status: "processing" },
  { status: "recorded", is_being_deleted: true },
  { status: "recorded", finished_at: NOW - 60_000 },
] as const) {
  Deno.test(`${JSON.stringify(change)} is not judged: it changes while it is looked at`, async () => {
    const { addWhole, add, remove, run, open_ } = stage();
    const folder = addWhole(1, change);
    await remove(`${folder}a1/${STEM}_0.mp4`);
    add(`${folder}manifest.json`, 1);
    await run();
    assert.deepEqual(open_(), []);
  });
}

Deno.test("an unfinished upload that nobody works on is given up after a day; one of nobody is only told", async () => {
  const { addWhole, addRow, beginUpload, open, run, open_, contents } = stage();
  const old = new Date(NOW - 2 * DAY);
  const folder = addWhole(1);
  beginUpload(`${folder}a1/one.mp4`, "orphan", old);
  beginUpload(`${folder}a1/two.mp4`, "worked-on", old);
  beginUpload(`${folder}a1/three.mp4`, "young", new Date(NOW - HOUR));
  beginUpload(`${folderOf(8)}a1/x.mp4`, "of-nobody", old);
  addRow(2, { status: "processing" });
  beginUpload(`${folderOf(2)}a1/x.mp4`, "of-the-engine", old);
  open.push("worked-on");
  await run();
  assert.deepEqual(open_(), ["orphan_upload of-nobody", "orphan_upload orphan (repaired)"]);
  const uploads = contents().filter((one) => /three|two|x\.mp4|one/.test(one));
  assert.deepEqual(uploads.map((one) => one.split(" ")[1]).sort(), [
    "of-nobody",
    "of-the-engine",
    "worked-on",
    "young",
  ]);
});

Deno.test("an audit of many recordings goes on where its last slice ended, and finds the same", async () => {
  const { addWhole, addRow, add, remove, run, open_ } = stage({ pageSize: 1_000 });
  // 2600 folders of five objects: three slices by versions, and more recordings than one answer carries.
  for (let number = 0; number < 2_600; number++) addWhole(number);
  await remove(`${folderOf(7)}a1/${STEM}_0.mp4`);
  await remove(folderOf(2_599));
  for (let number = 3_000; number < 3_600; number++) addRow(number);
  add("recordings/zzz", 1);
  const slices = await run();
  assert.ok(slices > 5, `${slices} slices`);
  const found = open_();
  assert.equal(found.filter((name) => name.startsWith(`file_missing ${folderOf(7)}`)).length, 1);
  assert.equal(found.filter((name) => name.includes(folderOf(2_599))).length, 5);
  assert.equal(
    found.filter((name) => /file_missing recordings\/0000000000004000800000000000(3[0-5])\d\d\//.test(name))
      .length,
    600,
  );
  assert.equal(found.length, 1 + 5 + 600 + 1);
});

Deno.test("a slice that is killed before it is saved is done again, and nothing is found twice", async () => {
  const { addWhole, add, run, open_, die, deps } = stage();
  add(`${addWhole(1)}a9/x.ts`, 1);
  die(true);
  await assert.rejects(auditBucket({}, deps), /killed/);
  die(false);
  await run();
  assert.deepEqual(open_(), [`unknown_attempt ${folderOf(1)}a9/`]);
});

Deno.test("a store that is down costs a pause, not the audit", async () => {
  const { addWhole, deps, run, open_ } = stage();
  addWhole(1);
  const list = deps.bucket.listVersions;
  const error = storeError("store_unavailable");
  deps.bucket.listVersions = () => {
    throw new RecorderFailure(error);
  };
  assert.deepEqual(await auditBucket({}, deps), { outcome: "retry", error });
  deps.bucket.listVersions = list;
  assert.deepEqual([await run(), open_()], [1, []]);
});

Deno.test("a recording that has lost a thousand slices is found by its first ones", async () => {
  const { addRow, run, findings } = stage();
  const files = Array.from({ length: 200 }, (_, index) => ({
    kind: "mp4" as const,
    attempt: 1,
    object_key: `${folderOf(1)}a1/${index}.mp4`,
    size_bytes: 1,
  }));
  addRow(1, { files });
  assert.equal(await run(), 1);
  assert.equal(findings.size, 50);
  assert.equal([...findings.values()][0]?.detail.and_more, 151);
});

Deno.test("done is what the last slice says", async () => {
  const { deps } = stage();
  assert.deepEqual(await auditBucket({}, deps), done);
});

Deno.test("files that came after a recording was published without them are told, and left for a person to judge", async () => {
  const { addWhole, add, run, open_, repaired } = stage();
  const folder = addWhole(1);
  addWhole(2);
  const late = { lastModified: new Date(BEGIN_MS + HOUR) };
  add(`${folder}a1/${slice(2)}`, 300, late);
  add(`${folder}a1/${STEM}_1.mp4`, 800, late);
  // An engine that writes a slice again changes nothing that anybody sees.
  add(`${folderOf(2)}a1/${slice(1)}`, 200, late);
  await run();
  assert.deepEqual(
    open_().filter((name) => name.startsWith("late_files")),
    [`late_files ${folder}`],
  );
  assert.deepEqual(repaired, []);
});

Deno.test("the source store is walked after the bucket: what was forgotten there goes, what came late or is nobody's is told", async () => {
  const { addRow, addWhole, source, run, open_, repaired, findings } = stage({ hasSource: true });
  addWhole(1);
  addWhole(2);
  addWhole(3, { finished_at: NOW - 60_000 });
  addRow(4, { status: "failed", error_code: "files_missing" });
  addRow(5, { status: "expired", deleted_at: BEGIN_MS });
  addRow(6, { status: "processing", finished_at: null });
  const late = { lastModified: new Date(BEGIN_MS + HOUR) };
  for (const number of [1, 3, 5, 6]) source.add(`${folderOf(number)}a1/${slice(0)}`, 100);
  source.add(`${folderOf(2)}a1/${slice(7)}`, 100, late);
  source.add(`${folderOf(4)}a1/${slice(0)}`, 100, late);
  source.add(`${folderOf(9)}a1/${slice(0)}`, 100);
  await run();
  assert.deepEqual(open_(), [
    `expired_left staging:${folderOf(5)} (repaired)`,
    `late_files staging:${folderOf(2)}`,
    `late_files staging:${folderOf(4)} (repaired)`,
    `source_left staging:${folderOf(1)} (repaired)`,
    `source_left staging:${folderOf(2)} (repaired)`,
    `source_unknown staging:${folderOf(9)}`,
  ]);
  assert.deepEqual(repaired.toSorted(), [
    `expired_left ${idOf(5)}`,
    `late_files ${idOf(4)}`,
    `source_left ${idOf(1)}`,
    `source_left ${idOf(2)}`,
  ]);
  assert.deepEqual(findings.get(`late_files staging:${folderOf(2)}`)?.detail, { objects: 1, bytes: 100 });
  assert.ok(
    source.story.every((call) => call.startsWith("list")),
    "the audit itself changes nothing there",
  );
});

Deno.test("an audit that is killed within the source store goes on there", async () => {
  const { addRow, source, run, open_, deps, die } = stage({ hasSource: true });
  addRow(1);
  source.add(`${folderOf(8)}a1/${slice(0)}`, 100);
  assert.deepEqual(await auditBucket({}, deps), { outcome: "snooze", afterMs: 0 });
  die(true);
  await assert.rejects(auditBucket({}, deps));
  die(false);
  assert.equal(await run(), 1);
  assert.ok(open_().includes(`source_unknown staging:${folderOf(8)}`));
});
