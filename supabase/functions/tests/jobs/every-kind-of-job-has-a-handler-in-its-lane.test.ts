import assert from "node:assert/strict";
import { controlHandlers } from "../../_shared/control/control-lane.ts";
import { createRecorderDatabase } from "../../_shared/jobs/database.ts";
import { handle, type Job, type JobWithoutRecording } from "../../_shared/jobs/job.ts";
import type { LaneDeps } from "../../_shared/jobs/lane.ts";
import { notifyHandlers } from "../../_shared/notify/notify-lane.ts";
import { storageHandlers } from "../../_shared/storage/storage-lane.ts";
import { jobForTest } from "./jobs-for-tests.ts";

const database = createRecorderDatabase(
  { url: "https://x.example", secretKey: "sb_secret_x", publishableKey: "x" },
  { fetch },
);
const nothingSet: LaneDeps = {
  environment: { get: () => undefined },
  fetch,
  now: Date.now,
  sleep: () => Promise.resolve(),
  random: Math.random,
  log: () => {},
  database,
  databaseWithin: () => database,
  wake: () => {},
};
const lanes = { control: controlHandlers, storage: storageHandlers, notify: notifyHandlers };
/** What needs no setting: a receiver of events or alerts may be missing. */
const needsNothing = new Set(["notify", "alert"]);

const folder = new URL("../../../migrations/", import.meta.url);
const kinds: [kind: string, lane: string][] = [];
for await (const { name } of Deno.readDir(folder)) {
  const sql = (await Deno.readTextFile(new URL(name, folder))).replaceAll(/--.*$/gm, "");
  for (const [statement] of sql.matchAll(/insert into recorder\.job_kinds[^;]*;/g)) {
    for (const [, kind = "", lane = ""] of statement.matchAll(/\(\s*'(\w+)',\s*'(\w+)',/g))
      kinds.push([kind, lane]);
  }
}

Deno.test("the kinds of jobs are found in the migrations", () => {
  assert.ok(kinds.length >= 5);
  assert.ok(kinds.some(([kind, lane]) => kind === "start" && lane === "control"));
});

for (const [lane, makeHandlers] of Object.entries(lanes)) {
  Deno.test(`the functions of lane ${lane} do exactly the kinds that the database gives them`, () => {
    const given = kinds.filter(([, of]) => of === lane).map(([kind]) => kind);
    assert.deepEqual(Object.keys(makeHandlers(nothingSet)).sort(), given.sort());
  });

  Deno.test(`a lane ${lane} that is not set up says so at its first job, and not before`, async () => {
    const handlers = makeHandlers(nothingSet);
    for (const [kind, handler] of Object.entries(handlers)) {
      const withRecording = jobForTest({ kind });
      const without: JobWithoutRecording = { ...withRecording, recording_id: null, recording: null };
      const job: Job | JobWithoutRecording = typeof handler === "function" ? withRecording : without;
      // Also where a handler throws before it has made a promise, the drain catches it.
      const run = async () => await handle(handlers, job, {}, new AbortController().signal);
      if (needsNothing.has(kind)) await run();
      else if (kind !== "start") await assert.rejects(run, /setting_invalid/);
      else assert.match(JSON.stringify(await run()), /"give_up".*setting_invalid/, "somebody waits for it");
    }
  });
}
