import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { checkPlayback } from "../../demo/check-playback.ts";
import type { FaultInput } from "../../local/b2/faults.ts";
import { localBucket } from "../../local/stack/environment.ts";
import { joinCall, wish } from "../integration/people.ts";
import { useStack } from "../integration/stack-under-test.ts";
import { watchCall } from "../integration/watching.ts";
import { until } from "./kill-function.ts";
import { openStores, plantRecording } from "./staged-recording.ts";
import { createUploadLog } from "./upload-log.ts";

/** Any number proves it; this one is printed so that what it met can be met again. */
const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);

const uploads = createUploadLog(localBucket.name);
const under = useStack({ staging: true, output: { part: uploads.take, notice: () => undefined } });

test("a recording that the engine wrote into another store lands in ours, plays, and leaves nothing behind", async () => {
  const { stack, people, sql } = under;
  const { mentor, mentee, mentorshipId } = await people.pair();
  const call = await joinCall(mentor, mentorshipId);
  const view = await watchCall(mentee.client, call.id);
  await wish(mentor.client, call.id, "starting");
  const { recording_id: recordingId } = await view.until("recording");
  await pause(5_000);
  await wish(mentor.client, call.id, "stopping");
  await view.until("processing", { phase: "transferring" });
  await view.until("recorded");
  const { ours, staging } = openStores(stack);
  const prefix = `recordings/${recordingId?.replaceAll("-", "")}/`;
  const keys = await ours.keys(prefix);
  expect(keys.some((key) => key.endsWith(".mp4")) && keys.some((key) => key.endsWith(".m3u8"))).toBe(true);
  const [row] = await sql<{ copied: number; agreed: number }[]>`
    select count(*)::int as copied, count(*) filter (where etag_agrees)::int as agreed
    from recorder.transfers where recording_id = ${recordingId} and state = 'done'`;
  expect(row).toEqual({ copied: keys.length - 1, agreed: keys.length - 1 });
  expect(await ours.contentType(keys.find((key) => key.endsWith(".m3u8")) ?? "")).toBe(
    "application/vnd.apple.mpegurl",
  );
  const { accessToken } = mentee;
  const playback = await checkPlayback({ ...stack, accessToken, recordingId: recordingId ?? "" });
  expect(playback.mp4.durationMs).toBeGreaterThan(3_000);
  await until("the deletion of the sources", 60_000, async () =>
    (await staging.keys(prefix)).length === 0 ? true : undefined,
  );
}, 180_000);

test("copies that are refused to the end leave a failure that says by whom and why, and what is mended is copied after all", async () => {
  const { stack, sql } = under;
  const stores = openStores(stack);
  const faults = async (method: "POST" | "DELETE", fault?: FaultInput) => {
    const answer = await fetch(`${stack.env.BACKBLAZE_B2_ENDPOINT}/__control/faults`, {
      method,
      headers: { authorization: `Bearer ${stack.controlToken}` },
      body: fault === undefined ? null : JSON.stringify(fault),
    });
    if (!answer.ok) throw new Error(`faults: HTTP ${answer.status} ${await answer.text()}`);
  };
  // A key that may list and read, and not write: nothing but the copies meets it.
  const planted = await plantRecording(sql, stores, {
    segments: { count: 2, bytes: 20_000 },
    seed: SEED,
    whenStored: ({ prefix }) =>
      faults("POST", {
        kind: "access-denied",
        operation: "PutObject",
        keyContains: prefix,
        times: 1_000_000,
      }),
  });
  await until("a copy that is refused", 90_000, async () => {
    const [job] = await sql`
      select from recorder.jobs
      where recording_id = ${planted.id} and kind = 'transfer' and last_error ->> 'code' = 'store_access_denied'`;
    return job === undefined ? undefined : true;
  });
  const ended = (status: string) => async () => {
    const [row] = await sql<{ status: string; error: unknown }[]>`
      select status, error from public.recordings where id = ${planted.id}`;
    return row?.status === status ? row : undefined;
  };
  await sql`update public.recordings set deadline_at = now() - interval '1 second' where id = ${planted.id}`;
  const failed = await until("the end of the waiting", 90_000, ended("failed"));
  expect(failed.error).toMatchObject({ code: "store_access_denied", blame: "configuration", retry: "never" });
  expect(await stores.staging.keys(planted.prefix)).toHaveLength(planted.hashes.size);

  await faults("DELETE");
  await sql`select recorder.retry_recording(${planted.id})`;
  await sql`update recorder.jobs set run_at = now(), not_before = null where recording_id = ${planted.id} and state = 'queued'`;
  await until("the recording after all", 180_000, ended("recorded"));
  for (const [key, hash] of planted.hashes) expect(await stores.ours.sha256(key)).toBe(hash);
}, 420_000);

test("an audit finds what was planted in the other store, and has what is copied deleted there", async () => {
  const { stack, sql } = under;
  const stores = openStores(stack);
  const planted = await plantRecording(sql, stores, { segments: { count: 2, bytes: 20_000 }, seed: SEED });
  const end = async () => {
    const [row] = await sql`select status from public.recordings where id = ${planted.id}`;
    return row?.status === "recorded" ? true : undefined;
  };
  await until("the end of the copy", 90_000, end);
  const sources = async () => (await stores.staging.keys(planted.prefix)).length;
  await until("the deletion of the sources", 60_000, async () =>
    (await sources()) === 0 ? true : undefined,
  );
  const late = `${planted.prefix}${planted.playlistKey.slice(planted.prefix.length, -".m3u8".length)}_1.mp4`;
  await stores.staging.put(late, "after the end");
  await stores.staging.put("recordings/eeeeeeeeeeee4eee8eeeeeeeeeeeeeee/a1/stray.ts", "of nobody");
  // What happened just now is not judged.
  await sql`update public.recordings set finished_at = now() - interval '1 day' where id = ${planted.id}`;
  await sql`select recorder.request_audit()`;
  await until("the end of the audit", 60_000, async () => {
    const [job] =
      await sql`select from recorder.jobs where kind = 'audit' and state in ('queued', 'running')`;
    return job === undefined ? true : undefined;
  });
  const folder = planted.prefix.slice(0, -"a1/".length);
  const found = await sql<{ kind: string; key: string }[]>`
    select kind, key from recorder.audit_findings where key like 'staging:%' order by kind`;
  expect([...found]).toEqual([
    { kind: "late_files", key: `staging:${folder}` },
    { kind: "source_left", key: `staging:${folder}` },
    { kind: "source_unknown", key: "staging:recordings/eeeeeeeeeeee4eee8eeeeeeeeeeeeeee/" },
  ]);
  expect(await stores.staging.keys("recordings/")).toEqual(
    [late, "recordings/eeeeeeeeeeee4eee8eeeeeeeeeeeeeee/a1/stray.ts"].toSorted(),
  );
}, 240_000);

test("a hundred slices go side by side, their playlist last, and people are told at most once a second how far it is", async () => {
  const { stack, sql } = under;
  const stores = openStores(stack);
  await sql`update recorder.settings set value = 40 where name = 'transfer_slice_objects'`;
  const from = uploads.lines.length;
  const planted = await plantRecording(sql, stores, { segments: { count: 100, bytes: 40_000 }, seed: SEED });
  await until("the end of the copy", 90_000, async () => {
    const [row] = await sql`select status from public.recordings where id = ${planted.id}`;
    return row?.status === "recorded" ? true : undefined;
  });
  for (const [key, hash] of planted.hashes) expect(await stores.ours.sha256(key)).toBe(hash);
  const lines = uploads.lines.slice(from).filter(({ key }) => key.startsWith(planted.prefix));
  const begun = lines.filter(({ event }) => event === "began").map(({ key }) => key);
  expect(begun).toHaveLength(101);
  expect(begun.at(-1)).toBe(planted.playlistKey);
  const lastSlice = lines.findLastIndex(({ event, key }) => event === "ended" && key !== planted.playlistKey);
  expect(lines.findIndex(({ key }) => key === planted.playlistKey)).toBeGreaterThan(lastSlice);

  const told = await sql<{ bytes: number; percent: number; at: number }[]>`
    select (m.payload -> 'progress' ->> 'bytes')::bigint::float8 as bytes, (m.payload -> 'progress' ->> 'percent')::int as percent,
      extract(epoch from (m.payload -> 'progress' ->> 'measured_at')::timestamptz)::float8 as at
    from realtime.messages m
    where m.event = 'recording.changed' and m.payload ->> 'recording_id' = ${planted.id}
      and jsonb_typeof(m.payload -> 'progress') = 'object'
    order by (m.payload ->> 'version')::bigint`;
  const measured = [...new Map(told.map((one) => [one.at, one])).values()];
  expect(measured[0]?.bytes).toBe(0);
  expect(measured.at(-1)?.percent).toBe(100);
  for (const [index, { bytes, at }] of measured.entries()) {
    const before = measured[index - 1];
    if (before === undefined) continue;
    expect(bytes).toBeGreaterThanOrEqual(before.bytes);
    // The last one says that it is done, whenever that is.
    if (index < measured.length - 1) expect(at - before.at).toBeGreaterThanOrEqual(1);
  }
}, 180_000);
