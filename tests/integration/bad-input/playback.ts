import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { oneOff, type Stage, send, withoutTrace } from "./stage.ts";

/** Asking for what one may not watch, and addresses that were tampered with. */
export function describePlayback(stage: Stage): void {
  describe("Playback", () => {
    const path = "/functions/v1/play-recording";
    const ask = (token: string | undefined, body: string) =>
      send(
        stage,
        "POST",
        path,
        {
          apikey: stage.under.stack.publishableKey,
          "content-type": "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body,
      );
    const order = () => JSON.stringify({ recording_id: stage.recorded.recordingId });
    const addressed = z.object({
      hls: z.object({ url: z.url() }),
      mp4: z.tuple([z.object({ url: z.url() })]),
    });
    const addresses = async () =>
      addressed.parse((await ask(stage.recorded.pair.mentee.accessToken, order())).body);

    test("without a user's token it is answered 401", async () => {
      const unsigned = [
        undefined,
        stage.under.stack.publishableKey,
        stage.under.stack.secretKey,
        "not-a-token",
        oneOff(stage.recorded.pair.mentor.accessToken, -5),
      ];
      for (const token of unsigned) {
        const answer = await withoutTrace(stage, () => ask(token, order()));
        expect(answer).toMatchObject({ status: 401, body: { code: "sign_in_required" } });
      }
    });

    test("a stranger is told the same as about a recording that never was: 404", async () => {
      const theirs = await withoutTrace(stage, () => ask(stage.stranger.accessToken, order()));
      const never = await withoutTrace(stage, () =>
        ask(stage.stranger.accessToken, JSON.stringify({ recording_id: randomUUID() })),
      );
      expect(theirs).toMatchObject({ status: 404, body: { code: "recording_not_found" } });
      expect(theirs).toEqual(never);
    });

    test.each([
      ["{", "body_not_json"],
      ["", "body_not_json"],
      ["recording_id=1", "body_not_json"],
      ["null", "recording_id_missing"],
      ["{}", "recording_id_missing"],
      ['{"recording_id": "1 or 1=1"}', "recording_id_missing"],
    ])("the body %j is answered 400 %s", async (body, code) => {
      const answer = await withoutTrace(stage, () => ask(stage.recorded.pair.mentor.accessToken, body));
      expect(answer).toMatchObject({ status: 400, body: { code } });
    });

    test("a playlist token that is one character off, anywhere, is answered 403", async () => {
      const { hls } = await addresses();
      expect((await send(stage, "GET", hls.url)).status).toBe(200);
      const [address, token = ""] = hls.url.split("token=");
      const dot = token.indexOf(".");
      const forged = [0, 1, 10, Math.floor(dot / 2), dot - 1, dot, dot + 1, -20, -2, -1].map((at) =>
        oneOff(token, at),
      );
      for (const text of [...forged, "", token.slice(0, -1), `${token}A`, `.${token}`]) {
        expect(text).not.toBe(token);
        const answer = await withoutTrace(stage, () => send(stage, "GET", `${address}token=${text}`));
        expect(answer).toMatchObject({ status: 403, body: { code: "playlist_token_invalid" } });
      }
      const without = await withoutTrace(stage, () =>
        send(stage, "GET", `${stage.under.stack.url}${path}/playlist.m3u8`),
      );
      expect(without).toMatchObject({ status: 403, body: { code: "playlist_token_invalid" } });
    });

    test("a media address that is one character off is refused by the store: 403", async () => {
      const { hls, mp4 } = await addresses();
      const playlist = String((await send(stage, "GET", hls.url)).body);
      const slice = playlist.split("\n").find((line) => line.startsWith("http")) ?? "";
      for (const url of [mp4[0].url, slice]) {
        const whole = await fetch(url);
        await whole.body?.cancel();
        expect(whole.status).toBe(200);
        const endOf = (text: string) => url.indexOf(text) + text.length;
        const places = [
          endOf("X-Amz-Signature="),
          endOf("X-Amz-Signature=") + 63,
          endOf("X-Amz-Expires="),
          endOf("X-Amz-Date=") + 14,
          endOf("X-Amz-Credential=") + 3,
          endOf("recordings/recordings/") + 5,
        ];
        for (const place of places) {
          const answer = await send(stage, "GET", oneOff(url, place));
          expect([place, answer.status]).toEqual([place, 403]);
        }
      }
    });

    test("a person who is not one of the two any more is refused although the address is whole", async () => {
      const own = await addresses();
      await stage.under.people.service
        .from("mentees")
        .update({ user_id: null })
        .eq("user_id", stage.recorded.pair.mentee.id);
      const answer = await withoutTrace(stage, () => send(stage, "GET", own.hls.url));
      expect(answer).toMatchObject({ status: 404, body: { code: "recording_not_found" } });
    });
  });
}
