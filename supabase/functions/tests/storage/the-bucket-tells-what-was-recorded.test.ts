import assert from "node:assert/strict";
import { readEnginePlaylist } from "../../_shared/storage/engine-playlist.ts";
import {
  awaited,
  recordingObjects,
  type ToldOfFiles,
  takeInventory,
} from "../../_shared/storage/inventory.ts";
import { manifestOf, publishedFiles, totalsOf } from "../../_shared/storage/manifest.ts";
import { recordingForTest, SID } from "../jobs/jobs-for-tests.ts";
import {
  mp4File,
  PREFIX,
  playlistFile,
  playlistText,
  sliceFile,
  wholeAttempt,
  without,
} from "./bucket-in-memory.ts";

const STEM = playlistFile.slice(0, -".m3u8".length);

function look(
  objects: Record<string, string | number>,
  tasks: Partial<ToldOfFiles>[] = [{}],
  isUsual = true,
) {
  const stored = recordingObjects(
    PREFIX,
    Object.entries(objects).map(([key, content]) => ({
      key: key.startsWith("recordings/") ? key : PREFIX + key,
      sizeBytes: typeof content === "number" ? content : content.length,
    })),
  );
  const playlists = new Map(
    stored
      .filter((object) => object.name.kind === "playlist")
      .map((object) => [object.key, readEnginePlaylist(String(objects[object.key.slice(PREFIX.length)]))]),
  );
  const inventory = takeInventory(stored, playlists);
  const files = publishedFiles(inventory);
  const told = tasks.map((task) => ({
    attempt: 1,
    is_empty: false,
    superseded: false,
    files: null,
    ...task,
  }));
  return {
    stored,
    inventory,
    files,
    totals: totalsOf(inventory, files),
    missing: awaited(inventory, told, stored, isUsual),
  };
}

Deno.test("one server's recording is one playlist and its MP4, with all sizes and the playing time", () => {
  const { files, totals, missing } = look(wholeAttempt(3));
  assert.deepEqual(missing, []);
  assert.deepEqual(files, [
    {
      kind: "playlist",
      attempt: 1,
      object_key: `${PREFIX}a1/${playlistFile}`,
      content_type: "application/vnd.apple.mpegurl",
      size_bytes: 3_000,
      duration_ms: 45_000,
      segment_count: 3,
    },
    {
      kind: "mp4",
      attempt: 1,
      object_key: `${PREFIX}a1/${mp4File()}`,
      content_type: "video/mp4",
      size_bytes: 5_000,
      duration_ms: null,
      segment_count: null,
    },
  ]);
  assert.deepEqual(
    [totals.duration_ms, totals.size_bytes, totals.is_partial, totals.gaps],
    [45_000, 5_000, false, []],
  );
  assert.equal(totals.stored_bytes, 8_000 + playlistText([0, 1, 2].map(sliceFile)).length);
});

Deno.test("what the engine does not name like this is not ours to judge", () => {
  const foreign = {
    "manifest.json": 10,
    "a1/notes.txt": 10,
    "a1/deeper/slice.ts": 10,
    [`a1/deeper/${sliceFile(0)}`]: 10,
    [`b1/${mp4File()}`]: 10,
    [mp4File()]: 10,
    [`recordings/another/a1/${mp4File()}`]: 10,
    "a1/": 0,
  };
  assert.deepEqual(look(foreign).stored, []);
  const { totals } = look({ ...wholeAttempt(1), ...foreign });
  assert.equal(totals.stored_bytes, look(wholeAttempt(1)).totals.stored_bytes);
});

Deno.test("slices are looked up beside their playlist; another attempt's do not count", () => {
  const objects = { ...without(wholeAttempt(2), `a1/${sliceFile(1)}`), [`a2/${sliceFile(1)}`]: 1_000 };
  const { missing, inventory } = look(objects);
  assert.deepEqual(missing, ["1 slices of attempt 1"]);
  assert.deepEqual(inventory.parts[0]?.missing, [sliceFile(1)]);
});

for (const uri of [
  `../a2/${sliceFile(1)}`,
  `/${sliceFile(1)}`,
  `https://elsewhere.example/${sliceFile(1)}`,
  playlistFile,
  mp4File(),
]) {
  Deno.test(`a playlist that names ${uri.slice(0, 30)}… is not followed there`, () => {
    const objects = { ...wholeAttempt(2), [`a1/${playlistFile}`]: playlistText([sliceFile(0), uri]) };
    const { inventory } = look({ ...objects, [`a2/${sliceFile(1)}`]: 1_000 });
    assert.deepEqual(inventory.parts[0]?.missing, [uri]);
    assert.equal(inventory.parts[0]?.segments.length, 1);
  });
}

Deno.test("an empty slice is a missing one", () => {
  const { missing } = look({ ...wholeAttempt(2), [`a1/${sliceFile(0)}`]: 0 });
  assert.deepEqual(missing, ["1 slices of attempt 1"]);
});

Deno.test("several attempts follow each other, whatever the order of the list", () => {
  const { inventory, totals } = look({
    ...wholeAttempt(1, "a10/"),
    ...wholeAttempt(2, "a2/"),
    ...wholeAttempt(1, "a1/"),
  });
  assert.deepEqual(
    inventory.parts.map(({ attempt }) => attempt),
    [1, 2, 10],
  );
  assert.deepEqual(
    totals.gaps.map(({ from_ms }) => from_ms),
    [15_000, 45_000],
  );
  assert.deepEqual([totals.is_partial, totals.duration_ms], [true, 60_000]);
  // No single MP4 holds everything: the slices are what is played.
  assert.equal(totals.size_bytes, 4_000);
});

Deno.test("servers that took over follow in their order, and only the last one's playlist needs an end", () => {
  const objects = {
    ...wholeAttempt(1),
    [`a1/${playlistFile}`]: playlistText([sliceFile(0)], { isEnded: false }),
    ...wholeAttempt(1, "a1/", "bak1_"),
    ...wholeAttempt(1, "a1/", "bak0_"),
  };
  const { inventory, missing } = look(objects);
  assert.deepEqual(
    inventory.parts.map(({ failover }) => failover),
    [-1, 0, 1],
  );
  assert.deepEqual(missing, []);
  const unended = {
    ...objects,
    [`a1/bak1_${playlistFile}`]: playlistText([`bak1_${sliceFile(0)}`], { isEnded: false }),
  };
  assert.deepEqual(look(unended).missing, ["the end of the playlist of attempt 1"]);
});

Deno.test("of the backup cloud's playlists and the plain one the longest holds, by what it lists", () => {
  const slices = [0, 1, 2].map(sliceFile);
  const objects = {
    ...wholeAttempt(3),
    [`a1/${playlistFile}`]: playlistText(slices.slice(0, 1)),
    [`a1/${STEM}_1700000000_0.m3u8`]: playlistText(slices.slice(0, 2)),
    [`a1/${STEM}_1700000000_1.m3u8`]: playlistText(slices),
  };
  const { files, missing } = look(objects);
  assert.deepEqual(missing, []);
  assert.equal(files[0]?.object_key, `${PREFIX}a1/${STEM}_1700000000_1.m3u8`);
  // Its last slices are still on their way: the shorter playlist must not end the waiting.
  assert.deepEqual(look(without(objects, `a1/${sliceFile(2)}`)).missing, ["1 slices of attempt 1"]);
});

Deno.test("of two that are equally long the ended one holds", () => {
  const slices = [0, 1].map(sliceFile);
  const objects = {
    ...wholeAttempt(2),
    [`a1/${playlistFile}`]: playlistText(slices, { isEnded: false }),
    [`a1/${STEM}_1700000000_0.m3u8`]: playlistText(slices),
  };
  assert.deepEqual(look(objects).missing, []);
});

Deno.test("a long recording has several MP4 files, in the order of their numbers", () => {
  const { files, totals } = look({
    ...wholeAttempt(2),
    [`a1/${mp4File(10)}`]: 700,
    [`a1/${mp4File(2)}`]: 600,
    [`a1/${mp4File(1)}`]: 0,
  });
  const mp4s = files.filter(({ kind }) => kind === "mp4");
  assert.deepEqual(
    mp4s.map(({ object_key }) => object_key.slice(PREFIX.length)),
    [`a1/${mp4File(0)}`, `a1/${mp4File(2)}`, `a1/${mp4File(10)}`],
  );
  assert.equal(totals.size_bytes, 2_000, "no single MP4 holds everything");
});

Deno.test("pictures are kept and counted, and are no media", () => {
  const picture = `a1/${sliceFile(0).replace(".ts", ".jpg")}`;
  const { files, totals } = look({ ...wholeAttempt(1), [picture]: 77 });
  assert.equal(files.length, 2);
  assert.equal(totals.stored_bytes, look(wholeAttempt(1)).totals.stored_bytes + 77);
});

Deno.test("a playlist that cannot be read is awaited, not taken for absent", () => {
  const objects = { ...wholeAttempt(1), [`a1/${playlistFile}`]: "<Error/>" };
  const { missing, files } = look(objects, [
    { files: [{ fileName: playlistFile }, { fileName: mp4File() }] },
  ]);
  assert.match(missing.join(), /a playlist that can be read/);
  assert.deepEqual(
    files.map(({ kind }) => kind),
    ["mp4"],
  );
});

// What is waited for

Deno.test("every file that the engine named is waited for, with or without its folder", () => {
  const files = [{ fileName: mp4File(1) }, { fileName: `${PREFIX}a1/${mp4File(0)}` }];
  assert.deepEqual(look(wholeAttempt(1), [{ files }]).missing, ["a file of attempt 1 that the engine named"]);
  assert.deepEqual(look({ ...wholeAttempt(1), [`a1/${mp4File(1)}`]: 1 }, [{ files }]).missing, []);
  const elsewhere = { ...wholeAttempt(1), [`a2/${mp4File(1)}`]: 1 };
  assert.deepEqual(look(elsewhere, [{ files }]).missing, ["a file of attempt 1 that the engine named"]);
});

Deno.test("without a list, playlist and MP4 are waited for as long as uploads usually take", () => {
  assert.deepEqual(look(without(wholeAttempt(1), `a1/${mp4File()}`)).missing, ["the MP4 of attempt 1"]);
  assert.deepEqual(look(without(wholeAttempt(1), `a1/${mp4File()}`), [{}], false).missing, []);
  assert.deepEqual(look({ [`a1/${mp4File()}`]: 10 }).missing, ["the playlist of attempt 1"]);
});

Deno.test("a list without an MP4 says that there is none", () => {
  const objects = without(wholeAttempt(1), `a1/${mp4File()}`);
  assert.deepEqual(look(objects, [{ files: [{ fileName: playlistFile }] }]).missing, []);
});

Deno.test("a recorder that was empty, or given up, owes nothing", () => {
  const tasks = [
    {},
    { attempt: 2, is_empty: true },
    { attempt: 3, superseded: true, files: [{ fileName: "x" }] },
  ];
  assert.deepEqual(look(wholeAttempt(1), tasks).missing, []);
});

Deno.test("what a given-up attempt left unfinished is waited for as long as uploads usually take, and no longer", () => {
  const cutOff = {
    ...wholeAttempt(2),
    [`a1/${playlistFile}`]: playlistText([sliceFile(0)], { isEnded: false }),
  };
  const objects = { ...cutOff, ...wholeAttempt(2, "a2/") };
  const tasks = [{ superseded: true }, { attempt: 2 }];
  assert.deepEqual(look(objects, tasks).missing, ["the end of the playlist of attempt 1"]);
  assert.deepEqual(look(objects, tasks, false).missing, []);
});

// What is missing for good

Deno.test("missing slices are gaps where the picture jumps, in the time that is left to play", () => {
  const objects = without(wholeAttempt(6), `a1/${sliceFile(1)}`, `a1/${sliceFile(2)}`, `a1/${sliceFile(5)}`);
  const { totals, inventory, files } = look(objects);
  assert.deepEqual([totals.is_partial, totals.duration_ms, files[0]?.segment_count], [true, 45_000, 3]);
  assert.deepEqual(totals.gaps, [
    { from_ms: 15_000, to_ms: 15_000, missing_ms: 30_000 },
    { from_ms: 45_000, to_ms: 45_000, missing_ms: 15_000 },
  ]);
  assert.deepEqual(
    inventory.parts[0]?.segments.map(({ uri, isDiscontinuity }) => [uri, isDiscontinuity]),
    [
      [sliceFile(0), false],
      [sliceFile(3), true],
      [sliceFile(4), false],
    ],
  );
});

Deno.test("between two servers as much is missing as the times in their slices' names tell, and never less than none", () => {
  const server = (index: number, prefix: string) => ({
    [`a1/${prefix}${playlistFile}`]: playlistText([prefix + sliceFile(index)]),
    [`a1/${prefix}${sliceFile(index)}`]: 1_000,
  });
  const later = look({ ...server(0, ""), ...server(5, "bak0_") });
  assert.deepEqual(later.totals.gaps, [{ from_ms: 15_000, to_ms: 15_000, missing_ms: 60_000 }]);
  const both = look({ ...server(0, ""), ...server(0, "bak0_") });
  assert.deepEqual(both.totals.gaps, [{ from_ms: 15_000, to_ms: 15_000, missing_ms: 0 }]);
  const named = { [`a1/bak0_${playlistFile}`]: playlistText(["nameless.ts"]), "a1/nameless.ts": 1_000 };
  assert.equal(look({ ...server(0, ""), ...named }).totals.gaps[0]?.missing_ms, null);
});

Deno.test("a playlist without an end, and no playlist at all, are partial", () => {
  const cutOff = {
    ...wholeAttempt(1),
    [`a1/${playlistFile}`]: playlistText([sliceFile(0)], { isEnded: false }),
  };
  assert.equal(look(cutOff).totals.is_partial, true);
  const { totals, files } = look({ [`a1/${mp4File()}`]: 10 });
  assert.deepEqual([totals.is_partial, totals.size_bytes, files.length], [true, 10, 1]);
});

Deno.test("a playlist of which nothing is there is no file", () => {
  const objects = without(wholeAttempt(1), `a1/${sliceFile(0)}`);
  const { files, totals } = look(objects);
  assert.deepEqual(
    files.map(({ kind }) => kind),
    ["mp4"],
  );
  assert.equal(totals.is_partial, true);
});

Deno.test("the manifest names every file and slice in playing order, and the recording's own facts", () => {
  const { inventory, files, totals } = look({ ...wholeAttempt(2), ...wholeAttempt(1, "a2/") });
  const recording = recordingForTest({ started_at: Date.UTC(2026, 10, 22, 18, 0, 1) });
  const written = { atMs: Date.UTC(2026, 10, 22, 20), isComplete: true };
  const manifest: unknown = JSON.parse(manifestOf(recording, inventory, files, totals, written));
  assert.ok(typeof manifest === "object" && manifest !== null);
  assert.deepEqual(manifest, {
    version: 1,
    is_complete: true,
    written_at: "2026-11-22T20:00:00.000Z",
    recording: {
      id: recording.id,
      call_id: recording.call_id,
      mentorship_id: recording.mentorship_id,
      instructor_id: recording.instructor_id,
      mentee_id: recording.mentee_id,
      channel: recording.channel,
      quality: "720p",
      layout: "best_fit",
      attempt: 1,
      // Whoever is forgotten must not be kept here.
      requested_by: null,
      requested_at: "2026-11-22T18:00:00.000Z",
      started_at: "2026-11-22T18:00:01.000Z",
      stop_requested_at: null,
      stop_reason: null,
      stopped_at: null,
    },
    totals,
    files,
    segments: [
      ["a1", 0, false],
      ["a1", 1, false],
      ["a2", 0, true],
    ].map(([folder, index, is_discontinuity]) => ({
      object_key: `${PREFIX}${folder}/${sliceFile(Number(index))}`,
      size_bytes: 1_000,
      duration_ms: 15_000,
      is_discontinuity,
    })),
  });
  assert.ok(JSON.stringify(manifest).includes(SID));
});

Deno.test("what two servers wrote both is played once; what reaches beyond the first, and what it lost, is played whole", () => {
  const serverOf = (prefix: string, indices: readonly number[], isEnded: boolean) => {
    const slices = indices.map((index) => prefix + sliceFile(index));
    return {
      ...Object.fromEntries(slices.map((slice) => [`a1/${slice}`, 1_000])),
      [`a1/${prefix}${playlistFile}`]: playlistText(slices, { isEnded }),
    };
  };
  const first = serverOf("", [0, 1, 2, 3], false);
  const second = serverOf("bak0_", [2, 3, 4, 5], true);
  const playedOf = (objects: Record<string, string | number>) =>
    look(objects).inventory.parts.map(({ segments }) => segments.map(({ uri }) => uri));
  const firstPlayed = [0, 1, 2, 3].map(sliceFile);
  const both = look({ ...first, ...second });
  assert.deepEqual(playedOf({ ...first, ...second }), [
    firstPlayed,
    [4, 5].map((n) => `bak0_${sliceFile(n)}`),
  ]);
  assert.equal(both.totals.duration_ms, 90_000);
  assert.deepEqual(both.totals.gaps, [{ from_ms: 60_000, to_ms: 60_000, missing_ms: 0 }]);

  const lost = without({ ...first, ...second }, `a1/${sliceFile(2)}`);
  assert.deepEqual(
    playedOf(lost)[1],
    [2, 3, 4, 5].map((n) => `bak0_${sliceFile(n)}`),
  );
  // A clock that is wrong must cost nothing.
  const whole = serverOf("bak0_", [1, 2], true);
  assert.deepEqual(
    playedOf({ ...first, ...whole })[1],
    [1, 2].map((n) => `bak0_${sliceFile(n)}`),
  );
});
