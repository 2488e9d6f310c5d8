import { describe, expect, test } from "vitest";
import { oneOff, type Stage, send, withoutTrace } from "./stage.ts";

/** Keys and tokens that are not ours. */
export function describeApiKeys(stage: Stage): void {
  describe("API keys", () => {
    const start = JSON.stringify({ recording_status: "starting" });
    const json = { "content-type": "application/json" };

    test.each([
      ["none", () => ({})],
      ["an invented secret key", () => ({ apikey: "sb_secret_0123456789abcdefghijklmnopqrstuv" })],
      ["the secret key, one character off", () => ({ apikey: oneOff(stage.under.stack.secretKey, -1) })],
      [
        "the publishable key, one character off",
        () => ({ apikey: oneOff(stage.under.stack.publishableKey, -1) }),
      ],
      [
        "the secret key as a bearer beside the publishable one",
        () => ({
          apikey: stage.under.stack.publishableKey,
          authorization: `Bearer ${stage.under.stack.secretKey}`,
        }),
      ],
      [
        "a user's token, one character off",
        () => ({
          apikey: stage.under.stack.publishableKey,
          authorization: `Bearer ${oneOff(stage.fresh.pair.mentor.accessToken, -5)}`,
        }),
      ],
      [
        "a token that is none",
        () => ({ apikey: stage.under.stack.publishableKey, authorization: "Bearer not-a-token" }),
      ],
    ])("%s: 401", async (_name, headers) => {
      const path = `/rest/v1/video_calls?id=eq.${stage.fresh.call.id}`;
      const { status } = await withoutTrace(stage, () =>
        send(stage, "PATCH", path, { ...json, ...headers() }, start),
      );
      expect(status).toBe(401);
    });
  });
}
