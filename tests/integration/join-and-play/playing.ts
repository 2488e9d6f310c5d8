import { setTimeout as pause } from "node:timers/promises";
import { registerMediabunnyServer } from "@mediabunny/server";
import { parse as parseDisposition } from "content-disposition";
import { EncodedPacketSink, HLS_FORMATS, Input, UrlSource, VideoSampleSink } from "mediabunny";
import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { bucketClient } from "../bucket-client.ts";
import { joinCall, type Pair, type Person, wish } from "../people.ts";
import type { StackUnderTest } from "../stack-under-test.ts";
import { eventually, watchCall } from "../watching.ts";

/** Two slices and a bit: the stand-in of the engine cuts at 4 s. */
const recordedMs = 9_000;
/** In the second slice, so that a player has to seek there. */
const second = 5;

const address = z.object({ url: z.url(), expires_at: z.iso.datetime() });
const mp4Address = address.extend({ head_url: z.url(), size_bytes: z.number() });
const answerForm = z.strictObject({
  recording_id: z.uuid(),
  status: z.string(),
  is_complete: z.boolean(),
  quality: z.string(),
  duration_seconds: z.number(),
  size_bytes: z.number(),
  is_partial: z.boolean(),
  gaps: z.array(z.unknown()),
  position_seconds: z.number().nullable(),
  started_at: z.string(),
  expires_at: z.string().nullable(),
  refresh_at: z.iso.datetime().nullable(),
  hls: address.nullable(),
  mp4: z.array(mp4Address.extend({ download_url: z.url(), file_name: z.string() })),
  download: address.extend({ file_name: z.string(), size_bytes: z.number() }).nullable(),
  thumbnail: address.nullable(),
  renditions: z.array(z.object({ name: z.string(), kind: z.string(), url: z.url() })),
});

/** One picture as a player that seeks there decodes it: when it is shown, and its brightness. */
async function pictureAt(url: string, seconds: number) {
  using input = new Input({ source: new UrlSource(url), formats: HLS_FORMATS });
  const video = await input.getPrimaryVideoTrack();
  if (video === null) throw new Error("there is no picture");
  using sample = await new VideoSampleSink(video).getSample(seconds);
  if (sample === null) throw new Error(`there is no picture at ${seconds} s`);
  const bytes = new Uint8Array(sample.allocationSize());
  await sample.copyTo(bytes);
  return { timestamp: sample.timestamp, luma: bytes.subarray(0, sample.codedWidth * sample.codedHeight) };
}

const statusOf = async (url: string, init: RequestInit = {}) => {
  const answer = await fetch(url, init);
  await answer.body?.cancel();
  return answer.status;
};

/** Playback through the addresses that are given, and what ends it. */
export function describePlaying(under: StackUnderTest): void {
  describe("Playing", () => {
    let pair: Pair;
    let recordingId: string;

    const ask = async ({ client }: Person) => {
      const { data, error } = await client.functions.invoke("play-recording", {
        body: { recording_id: recordingId },
      });
      if (error !== null) throw error;
      return answerForm.parse(data);
    };
    const playable = async (person: Person) => {
      const answer = await ask(person);
      const [mp4] = answer.mp4;
      if (answer.hls === null || mp4 === undefined || answer.download === null) {
        throw new Error(`nothing to play: ${JSON.stringify(answer)}`);
      }
      return { answer, hls: answer.hls, mp4, download: answer.download };
    };

    beforeAll(async () => {
      registerMediabunnyServer({ hardwareContext: null });
      pair = await under.people.pair();
      const call = await joinCall(pair.mentor, pair.mentorshipId);
      const view = await watchCall(pair.mentor.client, call.id);
      await wish(pair.mentor.client, call.id, "starting");
      await view.until("recording");
      // The time that is recorded.
      await pause(recordedMs);
      await wish(pair.mentor.client, call.id, "stopping");
      recordingId = (await view.until("recorded")).recording_id ?? "";
    }, 120_000);

    test("a player is given what it needs, and goes on where its viewer stopped", async () => {
      const { answer, mp4 } = await playable(pair.mentee);
      expect(answer).toMatchObject({
        status: "recorded",
        is_complete: true,
        is_partial: false,
        gaps: [],
        position_seconds: null,
        thumbnail: null,
        renditions: [],
      });
      expect(answer.duration_seconds).toBeGreaterThan((recordedMs - 1_000) / 1_000);
      expect(answer.size_bytes).toBe(mp4.size_bytes);
      expect(Date.parse(answer.refresh_at ?? "")).toBeGreaterThan(Date.now());

      const { error } = await pair.mentee.client
        .from("playback_positions")
        .upsert({ user_id: pair.mentee.id, recording_id: recordingId, position_ms: second * 1_000 });
      expect(error).toBeNull();
      expect((await ask(pair.mentee)).position_seconds).toBe(second);
      expect((await ask(pair.mentor)).position_seconds).toBeNull();
    });

    test("the playlist plays from the store, also from the middle", async () => {
      const { hls, answer } = await playable(pair.mentee);
      using input = new Input({ source: new UrlSource(hls.url), formats: HLS_FORMATS });
      expect(await input.computeDuration()).toBeCloseTo(answer.duration_seconds, 0);
      const video = await input.getPrimaryVideoTrack();
      if (video === null) throw new Error("there is no picture");
      const packets = new EncodedPacketSink(video);
      expect((await packets.getFirstPacket())?.timestamp).toBeCloseTo(0, 0);
      expect((await packets.getKeyPacket(second))?.timestamp).toBeGreaterThan(3);
      const [early, late] = [await pictureAt(hls.url, 1), await pictureAt(hls.url, second)];
      expect(late.timestamp).toBeCloseTo(second, 0);
      expect(Buffer.compare(early.luma, late.luma)).not.toBe(0);
    });

    test("an MP4 is played by ranges, probed under its own address, and saved under a name", async () => {
      const { mp4, download } = await playable(pair.mentee);
      const range = (value: string) => statusOf(mp4.url, { headers: { range: value } });
      expect([await range("bytes=0-99"), await range("bytes=999999999-")]).toEqual([206, 416]);
      const probe = await fetch(mp4.head_url, { method: "HEAD" });
      expect([probe.status, probe.headers.get("content-length"), probe.headers.get("content-type")]).toEqual([
        200,
        String(mp4.size_bytes),
        "video/mp4",
      ]);
      // The method is signed: a player that probes the playing address is refused, which is why there are two.
      expect(await statusOf(mp4.url, { method: "HEAD" })).toBe(403);
      expect(await statusOf(mp4.head_url)).toBe(403);
      expect(await statusOf(mp4.url, { method: "DELETE" })).toBe(403);

      const saved = await fetch(download.url);
      expect((await saved.arrayBuffer()).byteLength).toBe(mp4.size_bytes);
      const { type, parameters } = parseDisposition(saved.headers.get("content-disposition") ?? "");
      expect([type, parameters.filename]).toEqual(["attachment", download.file_name]);
      expect(download.file_name).toMatch(
        /^Recording \d{4}-\d\d-\d\d \d\d\.\d\d UTC, Mentor and Mentee\.mp4$/,
      );
      expect(saved.headers.get("cache-control")).toMatch(/^private, max-age=\d+, immutable$/);
    });

    test("the two get the same media addresses and playlists of their own; no cache keeps a playlist", async () => {
      // Signed for the full hour: asked twice, at most one of the two pairs lies on both sides of its end.
      const asked = async () => Promise.all([playable(pair.mentor), playable(pair.mentee)]);
      let [mine, theirs] = await asked();
      if (mine.mp4.url !== theirs.mp4.url) [mine, theirs] = await asked();
      expect(mine.mp4).toEqual(theirs.mp4);
      expect(mine.hls.url).not.toBe(theirs.hls.url);
      const [one, other] = await Promise.all([fetch(mine.hls.url), fetch(theirs.hls.url)]);
      expect(one.headers.get("cache-control")).toBe("private, no-store");
      expect(await one.text()).toBe(await other.text());
      expect(await statusOf(mine.hls.url, { method: "HEAD" })).toBe(200);
    });

    test("a rendition beside the recording plays through its own playlists", async () => {
      const { hls } = await playable(pair.mentee);
      const folder = `recordings/${recordingId.replaceAll("-", "")}/phone`;
      const send = bucketClient(under.stack);
      const put = (name: string, body: string | ArrayBuffer) => send("PUT", `/${folder}/${name}`, body);
      const lines = (await (await fetch(hls.url)).text()).split("\n");
      const slice = lines.find((line) => line.startsWith("http")) ?? "";
      await put("low/1.ts", await (await fetch(slice)).arrayBuffer());
      const length = lines.find((line) => line.startsWith("#EXTINF:"));
      await put(
        "low/index.m3u8",
        `#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXT-X-PLAYLIST-TYPE:VOD\n${length}\n1.ts\n#EXT-X-ENDLIST\n`,
      );
      await put("all.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=400000\nlow/index.m3u8\n");
      await under.sql`
        insert into public.recording_files (recording_id, kind, attempt, object_key, content_type, size_bytes, verified_at)
        values (${recordingId}, 'playlist', 1, ${`${folder}/all.m3u8`}, 'application/vnd.apple.mpegurl', 1, now())`;

      const { renditions } = await ask(pair.mentee);
      expect(renditions).toMatchObject([{ kind: "hls", name: "all" }]);
      const [phone, original] = await Promise.all(
        [renditions[0]?.url ?? "", hls.url].map((url) => pictureAt(url, 2)),
      );
      expect(Buffer.compare(phone?.luma ?? Buffer.of(), original?.luma ?? Buffer.of())).toBe(0);
      await under.sql`delete from public.recording_files where recording_id = ${recordingId} and object_key like ${`${folder}%`}`;
    });

    test("an address that has ended is replaced, and the player goes on at the same second", async () => {
      const setEnd = (expiresAt: Date | string) =>
        under.sql`update public.recordings set expires_at = ${expiresAt} where id = ${recordingId}`;
      const [kept] = await under.sql<{ expires_at: string }[]>`
        select expires_at::text from public.recordings where id = ${recordingId}`;
      // No address outlives its recording: one that is about to end gives addresses that end. It is kept again at once.
      await setEnd(new Date(Date.now() + 15_000));
      const look = async () => {
        const given = await playable(pair.mentee);
        const lines = (await (await fetch(given.hls.url)).text()).split("\n");
        return { ...given, slices: lines.filter((line) => line.startsWith("http")) };
      };
      const old = await look().finally(() => setEnd(kept?.expires_at ?? ""));
      expect(Date.parse(old.answer.refresh_at ?? "")).toBeLessThan(Date.parse(old.hls.expires_at));
      const seen = await pictureAt(old.hls.url, second);

      for (const url of [...old.slices, old.mp4.url, old.hls.url]) await eventually(() => statusOf(url), 403);
      const fresh = await playable(pair.mentee);
      expect(fresh.mp4.url).not.toBe(old.mp4.url);
      const again = await pictureAt(fresh.hls.url, second);
      expect(again.timestamp).toBe(seen.timestamp);
      expect(Buffer.compare(again.luma, seen.luma)).toBe(0);
    });

    test("what has arrived is played while the rest is awaited", async () => {
      const { mentor, mentee, mentorshipId } = await under.people.pair();
      const call = await joinCall(mentor, mentorshipId);
      const view = await watchCall(mentor.client, call.id);
      await wish(mentor.client, call.id, "starting");
      const { recording_id: id } = await view.until("recording");
      // The time that is recorded before the engine loses its way to the store.
      await pause(recordedMs);
      await under.engine.addFault({ kind: "backup_cloud", cname: call.channel, ms: 600_000 });
      await pause(3_000);
      await wish(mentor.client, call.id, "stopping");
      await view.until("processing");
      // What is saved after ten seconds of waiting is saved at the next look.
      await under.sql`update public.recordings set stopped_at = stopped_at - interval '30 seconds' where id = ${id}`;
      const ofOther = async () => {
        const { data, error } = await mentee.client.functions.invoke("play-recording", {
          body: { recording_id: id },
        });
        if (error !== null) throw error;
        return answerForm.parse(data);
      };
      await eventually(async () => (await ofOther()).hls !== null, true);
      const answer = await ofOther();
      expect(answer).toMatchObject({ status: "processing", is_complete: false, is_partial: true });
      expect(answer.duration_seconds).toBeGreaterThan(3);
      // Soon again, since there will be more.
      expect(Date.parse(answer.refresh_at ?? "") - Date.now()).toBeLessThanOrEqual(60_000);
      expect((await pictureAt(answer.hls?.url ?? "", 1)).timestamp).toBeCloseTo(1, 0);
    });

    test("from the moment access ends there is no new address", async () => {
      const { hls } = await playable(pair.mentee);
      const setReadable = (value: number) =>
        under.sql`update recorder.settings set value = ${value} where name = 'ended_mentorship_readable'`;
      await under.people.service.from("mentorships").update({ status: "ended" }).eq("id", pair.mentorshipId);
      expect(await statusOf(hls.url), "what is over can be looked back on, by default").toBe(200);
      await setReadable(0);
      try {
        for (const person of [pair.mentor, pair.mentee]) await expect(ask(person)).rejects.toThrow();
        expect(await statusOf(hls.url)).toBe(404);
      } finally {
        await setReadable(1);
      }
      expect(await statusOf(hls.url)).toBe(200);
    });
  });
}
