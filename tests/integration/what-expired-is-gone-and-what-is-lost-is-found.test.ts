import { execFile } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkPlayback } from "../../demo/check-playback.ts";
import { viewVersions } from "./bucket-versions.ts";
import { startEventReceiver } from "./event-receiver.ts";
import { joinCall, type Person, wish } from "./people.ts";
import { useStack } from "./stack-under-test.ts";
import { eventually, watchCall } from "./watching.ts";

const receiver = await startEventReceiver();
const under = useStack({ variables: receiver.env });
afterAll(() => receiver.close());

beforeAll(async () => {
  await under.sql.begin(async (transaction) => {
    await transaction`set local role postgres`;
    await transaction`select cron.schedule('recorder-sweep', '1 seconds', 'select recorder.sweep()')`;
  });
});

/** A recording that is there, and how to look at it. */
async function recorded() {
  const { mentor, mentee, mentorshipId } = await under.people.pair();
  const call = await joinCall(mentor, mentorshipId);
  const view = await watchCall(mentee.client, call.id);
  await wish(mentor.client, call.id, "starting");
  await view.until("recording", { limitMs: 40_000 });
  await pause(1_000);
  await wish(mentor.client, call.id, "stopping");
  const { recording_id } = await view.until("recorded", { limitMs: 60_000 });
  const id = recording_id ?? "";
  return { id, folder: `recordings/${id.replaceAll("-", "")}/`, mentor, mentee, mentorshipId, call, view };
}
type Recorded = Awaited<ReturnType<typeof recorded>>;

async function statusOf(id: string): Promise<unknown> {
  const [row] = await under.sql`select status from public.recordings where id = ${id}`;
  return row?.status;
}

async function askForPlayback({ accessToken }: Person, id: string) {
  const answer = await fetch(`${under.stack.url}/functions/v1/play-recording`, {
    method: "POST",
    headers: { apikey: under.stack.publishableKey, authorization: `Bearer ${accessToken}` },
    body: JSON.stringify({ recording_id: id }),
  });
  return { status: answer.status, body: await answer.json() };
}

const played = ({ mentee, id }: Recorded) =>
  checkPlayback({ ...under.stack, accessToken: mentee.accessToken, recordingId: id });
const expireNow = (id: string) =>
  under.sql`update public.recordings set expires_at = now() - interval '1 second' where id = ${id}`;
const typesAbout = (id: string) =>
  receiver.events.filter(({ data }) => data.recording_id === id).map(({ type }) => type);

test("when its time has come every version of every file is gone, nobody plays it, and a held one stays", async () => {
  const { sql, stack, people } = under;
  const store = viewVersions(stack);
  const [gone, held, wished] = await Promise.all([recorded(), recorded(), recorded()]);
  await eventually(() => typesAbout(gone.id), ["recording.recorded"]);

  // What a plain delete would leave: an overwritten file, a hidden one, an upload that nobody finished.
  await store.put(`${gone.folder}manifest.json`, "{}");
  await store.hide(`${gone.folder}manifest.json`);
  await store.beginUpload(`${gone.folder}a1/unfinished.mp4`);
  expect((await store.versions(gone.folder)).length).toBeGreaterThan(5);
  const addresses = await played(held);
  expect(addresses.mp4.tracks).toEqual(["video avc", "audio aac"]);

  // Both are told a week before, once.
  await sql`update public.recordings set expires_at = now() + interval '6 days' where id = ${gone.id}`;
  const notices = async () => {
    const [row] = await sql`
      select count(*)::int as count from public.notifications where kind = 'recording_expiring' and recording_id = ${gone.id}`;
    return row?.count;
  };
  await eventually(notices, 2);
  await eventually(() => typesAbout(gone.id), ["recording.recorded", "recording.about_to_expire"]);

  await sql`select recorder.hold_recording(${held.id}, 'A dispute')`;
  receiver.failNext(503, 1);
  await Promise.all([expireNow(held.id), expireNow(gone.id)]);
  await gone.view.until("expired", { limitMs: 30_000 });

  expect(await store.versions(gone.folder)).toEqual([]);
  expect(await store.uploads(gone.folder)).toEqual([]);
  const refused = await askForPlayback(gone.mentee, gone.id);
  expect(refused.body).toMatchObject({ hls: null, mp4: [], download: null });
  const [call] =
    await sql`select recording_url, recording_status from public.video_calls where id = ${gone.call.id}`;
  expect(call).toEqual({ recording_url: null, recording_status: "expired" });
  const { data: story } = await gone.mentee.client
    .from("recording_events")
    .select("event, detail")
    .eq("recording_id", gone.id)
    .eq("event", "recording.files_deleted");
  expect(story).toHaveLength(1);
  expect(story?.[0]?.detail).toMatchObject({ uploads: 1, nothing_left_at: expect.any(String) });
  // The overwritten manifest and its marker; collecting may have written one more.
  expect(story?.[0]?.detail.versions).toBeGreaterThanOrEqual(story?.[0]?.detail.objects + 2);

  // A hold wins over time, and over a wish.
  expect(await statusOf(held.id)).toBe("recorded");
  const { error } = await held.mentee.client.rpc("delete_recording", { recording_id: held.id });
  expect(error?.code).toBe("recording_held");
  await played(held);

  // A person of it may delete it; a stranger may not, and does not learn that it is there.
  const stranger = await people.stranger();
  const unknown = await stranger.client.rpc("delete_recording", { recording_id: wished.id });
  expect(unknown.error?.code).toBe("recording_not_found");
  const done = await wished.mentee.client.rpc("delete_recording", { recording_id: wished.id });
  expect(done.error).toBeNull();
  await wished.view.until("expired", { limitMs: 30_000 });
  expect(await store.versions(wished.folder)).toEqual([]);

  await sql`select recorder.release_recording(${held.id})`;
  await held.view.until("expired", { limitMs: 30_000 });
  expect(await store.versions(held.folder)).toEqual([]);

  // The receiver refused one of these once, and has all of them now.
  const everything = ["recording.recorded", "recording.about_to_expire", "recording.expired"];
  await eventually(() => typesAbout(gone.id).sort(), everything.toSorted(), 40_000);
  expect(receiver.refused).toEqual([]);
}, 180_000);

function rebuild(...args: string[]): Promise<{ exitCode: number; output: string }> {
  const script = fileURLToPath(new URL("../../scripts/rebuild.ts", import.meta.url));
  const env = { ...process.env, ...under.stack.env };
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { env }, (error, stdout, stderr) =>
      resolve({ exitCode: typeof error?.code === "number" ? error.code : 0, output: stdout + stderr }),
    );
  });
}

test("rows that a disaster took come back from the bucket, and the recording plays; then the audit finds what was planted", async () => {
  const { sql, stack } = under;
  const store = viewVersions(stack);
  const whole = await recorded();
  const before = await played(whole);
  await store.put("recordings/ffffffffffff4fff8fffffffffffffff/manifest.json", "not a manifest");

  // The disaster.
  await sql.begin(async (transaction) => {
    await transaction`set local session_replication_role = replica`;
    await transaction`delete from recorder.jobs where recording_id = ${whole.id}`;
    await transaction`delete from recorder.engine_tasks where recording_id = ${whole.id}`;
    await transaction`delete from public.notifications where recording_id = ${whole.id}`;
    await transaction`delete from public.recording_events where recording_id = ${whole.id}`;
    await transaction`delete from public.recording_files where recording_id = ${whole.id}`;
    await transaction`update public.video_calls set recording_id = null, recording_status = null, recording_url = null where id = ${whole.call.id}`;
    await transaction`delete from public.recordings where id = ${whole.id}`;
  });
  expect((await askForPlayback(whole.mentee, whole.id)).status).toBe(404);

  const dry = await rebuild();
  expect(dry.output).toContain(`would create   ${whole.folder}`);
  expect(dry.output).toContain("is no manifest");
  expect(dry.output).toContain("Nothing was changed");
  expect(await statusOf(whole.id)).toBeUndefined();

  const real = await rebuild("--apply");
  expect(real.output).toContain(`created        ${whole.folder}`);
  expect(real.exitCode).toBe(1);
  const after = await played(whole);
  expect(after).toEqual(before);
  const [call] =
    await sql`select recording_id, recording_status from public.video_calls where id = ${whole.call.id}`;
  expect(call).toEqual({ recording_id: whole.id, recording_status: "recorded" });
  const rows = async () => {
    const [row] =
      await sql`select md5(string_agg(r::text || f::text, '' order by f.id)) as all from public.recordings r join public.recording_files f on f.recording_id = r.id`;
    return row;
  };
  const once = await rows();
  expect((await rebuild("--apply")).output).toMatch(/1 there already/);
  expect(await rows()).toEqual(once);
  await sql`update public.recordings set size_bytes = size_bytes - 1 where id = ${whole.id}`;
  expect((await rebuild("--apply")).output).toContain(`differs        ${whole.folder}  size_bytes`);
  await sql`update public.recordings set size_bytes = size_bytes + 1 where id = ${whole.id}`;

  // Planted: lost files, another size, strays of nobody, something that came after an expiry, an upload of nobody's job.
  const [mp4] =
    await sql`select object_key from public.recording_files where kind = 'mp4' and recording_id = ${whole.id}`;
  const [slice] = (await store.versions(whole.folder)).filter(({ key }) => key.endsWith(".ts"));
  const [expired] =
    await sql`select id, replace(id::text, '-', '') as hex from public.recordings where status = 'expired' limit 1`;
  await store.destroy(slice?.key ?? "");
  await store.destroy(mp4?.object_key);
  await store.put(mp4?.object_key, "too short");
  await store.put("recordings/eeeeeeeeeeee4eee8eeeeeeeeeeeeeee/a1/stray.ts", "of nobody");
  await store.put(`recordings/${expired?.hex}/a1/late.ts`, "after the end");
  const orphan = await store.beginUpload(`${whole.folder}a1/orphan.mp4`);
  await sql`update recorder.settings set value = 0 where name = 'orphan_upload_age'`;
  // What happened just now is not judged.
  await sql`update public.recordings set finished_at = now() - interval '1 day'`;
  await sql`update recorder.deletions set finished_at = now() - interval '1 day'`;

  const audit = async () => {
    await sql`select recorder.request_audit()`;
    await eventually(
      async () =>
        (await sql`select 1 from recorder.jobs where kind = 'audit' and state in ('queued', 'running')`)
          .length,
      0,
      40_000,
    );
    return await sql<{ kind: string; key: string; is_repaired: boolean }[]>`
      select kind, key, repaired_at is not null as is_repaired from recorder.audit_findings where resolved_at is null order by kind, key`;
  };
  const found = [...(await audit())];
  expect(found).toEqual([
    { kind: "expired_left", key: `recordings/${expired?.hex}/`, is_repaired: true },
    { kind: "file_missing", key: slice?.key, is_repaired: false },
    { kind: "file_size_differs", key: mp4?.object_key, is_repaired: false },
    { kind: "orphan_upload", key: orphan, is_repaired: true },
    { kind: "unknown_object", key: "recordings/eeeeeeeeeeee4eee8eeeeeeeeeeeeeee/", is_repaired: false },
    { kind: "unknown_object", key: "recordings/ffffffffffff4fff8fffffffffffffff/", is_repaired: false },
  ]);
  await eventually(() => store.versions(`recordings/${expired?.hex}/`), []);
  expect(await store.uploads(whole.folder)).toEqual([]);
  expect(await store.versions("recordings/eeeeeeeeeeee4eee8eeeeeeeeeeeeeee/")).toHaveLength(1);
  const [health] = await sql`select is_ok, explanation from recorder.health where name = 'audit_findings'`;
  expect(health).toMatchObject({ is_ok: false, explanation: expect.stringContaining("file_missing") });

  // The next one finds what was mended no more.
  expect((await audit()).map(({ kind }) => kind)).toEqual([
    "file_missing",
    "file_size_differs",
    "unknown_object",
    "unknown_object",
  ]);
}, 180_000);
