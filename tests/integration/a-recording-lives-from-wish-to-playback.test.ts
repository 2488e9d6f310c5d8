import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { checkPlayback } from "../../demo/check-playback.ts";
import { viewBucket } from "./bucket.ts";
import { joinCall, wish } from "./people.ts";
import { useStack } from "./stack-under-test.ts";
import { eventually, expectGrowingVersions, statusesOf, subscribed, watchCall } from "./watching.ts";

const under = useStack();

const life = ["starting", "recording", "stopping", "processing", "recorded"];
/** How far the media may be from the engine's own start and end, ms. */
const durationToleranceMs = 1_000;

const recordingRow = z.looseObject({
  status: z.string(),
  duration_ms: z.number(),
  size_bytes: z.number(),
  stored_bytes: z.number(),
  is_partial: z.boolean(),
  stop_reason: z.string(),
});
const manifestForm = z.looseObject({
  recording: z.looseObject({ id: z.uuid(), channel: z.string(), started_at: z.string() }),
  files: z.array(z.looseObject({ kind: z.string(), object_key: z.string(), size_bytes: z.number() })),
  segments: z.array(z.looseObject({ object_key: z.string(), size_bytes: z.number() })),
});

test("what the mentor asks for, the mentee sees arrive step by step, finds in the bucket and plays", async () => {
  const { people, stack, sql, engine } = under;
  const { mentor, mentee, mentorshipId } = await people.pair();
  const call = await joinCall(mentor, mentorshipId);
  expect((await joinCall(mentee, mentorshipId)).id).toBe(call.id);
  const view = await watchCall(mentee.client, call.id);
  const told: { status: string; version: number }[] = [];
  await subscribed(
    mentee.client
      .channel(`mentorship:${mentorshipId}`, { config: { private: true } })
      .on("broadcast", { event: "recording.changed" }, ({ payload }) => {
        told.push(z.looseObject({ status: z.string(), version: z.number() }).parse(payload));
      }),
  );

  expect(await wish(mentor.client, call.id, "starting")).toMatchObject({ status: 200, became: ["starting"] });
  const { recording_id: recordingId } = await view.until("recording");
  expect(await engine.running(call.channel)).toHaveLength(1);
  await pause(2_000);
  expect(await wish(mentor.client, call.id, "stopping")).toMatchObject({ status: 200, became: ["stopping"] });
  await view.until("recorded");
  await eventually(() => view.changes.at(-1)?.recording_status, "recorded");
  await eventually(() => told.at(-1)?.status, "recorded");

  // Both ways of Realtime tell the same life, in order, and a client can tell what is newer.
  expect(statusesOf(view.broadcasts)).toEqual(life);
  expect(statusesOf(view.changes)).toEqual(life);
  expect(statusesOf(told.map(({ status }) => ({ recording_status: status })))).toEqual(life);
  expectGrowingVersions(view.broadcasts);
  expectGrowingVersions(view.changes.map((row) => ({ ...row, version: row.recording_version })));
  expect(view.broadcasts.map((pushed) => pushed.recording_id)).toSatisfy((ids: string[]) =>
    ids.every((id) => id === recordingId),
  );
  expect(view.broadcasts.at(-1)).toMatchObject({
    recording_url: `/recordings/${recordingId}`,
    recording_error: null,
  });

  // The mentee reads the same facts as rows.
  const { data, error } = await mentee.client.from("recordings").select("*").eq("id", recordingId).single();
  expect(error).toBeNull();
  const recording = recordingRow.parse(data);
  expect(recording).toMatchObject({
    status: "recorded",
    stop_reason: "user",
    is_partial: false,
    error: null,
  });

  // The files are in the bucket under the recording's own folder, and the manifest names exactly them.
  const prefix = `recordings/${recordingId?.replaceAll("-", "")}/`;
  const bucket = viewBucket(stack);
  const stored = await bucket.list(prefix);
  const manifest = manifestForm.parse(JSON.parse(await bucket.text(`${prefix}manifest.json`)));
  expect(manifest.recording).toMatchObject({ id: recordingId, channel: call.channel });
  const named = [...manifest.files, ...manifest.segments].map((file) => file.object_key);
  expect([...stored.keys()].sort()).toEqual([`${prefix}manifest.json`, ...named].sort());
  for (const { object_key, size_bytes } of manifest.segments) expect(stored.get(object_key)).toBe(size_bytes);
  expect([...stored.values()].reduce((sum, size) => sum + size, 0)).toBe(recording.stored_bytes);

  // It plays, and for as long as the engine was there by its own events 40 and 41.
  const playback = await checkPlayback({
    ...stack,
    accessToken: mentee.accessToken,
    recordingId: recordingId ?? "",
  });
  const [events] = await sql<{ recorded_ms: number }[]>`
    select extract(epoch from max(to_timestamp((i.event -> 'payload' ->> 'sendts')::bigint / 1000.0))
        filter (where i.event_type = 41)
      - min(to_timestamp((i.event -> 'payload' ->> 'sendts')::bigint / 1000.0)) filter (where i.event_type = 40))::float8
      * 1000 as recorded_ms
    from recorder.inbox i join recorder.engine_tasks t on t.id = i.engine_task_id
    where t.recording_id = ${recordingId}`;
  const recordedMs = events?.recorded_ms ?? 0;
  expect(recordedMs).toBeGreaterThan(1_900);
  for (const durationMs of [playback.mp4.durationMs, playback.hls.durationMs, recording.duration_ms]) {
    expect(Math.abs(durationMs - recordedMs)).toBeLessThan(durationToleranceMs);
  }
  expect(playback.mp4.tracks).toEqual(["video avc", "audio aac"]);
  expect(playback.hls.tracks).toEqual(["video avc", "audio aac"]);
  expect(playback.mp4.sizeBytes).toBe(recording.size_bytes);
}, 180_000);
