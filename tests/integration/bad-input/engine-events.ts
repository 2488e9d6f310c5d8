import { createHmac, randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { takeSnapshot } from "../snapshot.ts";
import { type Stage, send, withoutTrace } from "./stage.ts";

/** What comes to the address that the engine reports to. */
export function describeEngineEvents(stage: Stage): void {
  describe("Events of the engine", () => {
    const path = "/functions/v1/agora-events";
    const signed = (body: string, secret = stage.under.stack.env.AGORA_WEBHOOK_SECRET ?? "") => ({
      "content-type": "application/json",
      "Agora-Signature": createHmac("sha1", secret).update(body).digest("hex"),
      "Agora-Signature-V2": createHmac("sha256", secret).update(body).digest("hex"),
    });
    /** A stop of the engine as it would be told, about the recorded call's own channel. */
    const event = () =>
      JSON.stringify({
        noticeId: randomUUID(),
        productId: 3,
        eventType: 41,
        notifyMs: Date.now(),
        sid: "0".repeat(32),
        payload: {
          cname: stage.recorded.call.channel,
          uid: "1",
          sid: "0".repeat(32),
          sequence: 1,
          sendts: Date.now(),
          serviceType: 1,
          details: { msgName: "recorder_leave", leaveCode: 2 },
        },
      });

    test("a genuine one is stored, once however often it comes", async () => {
      const body = event();
      const before = await takeSnapshot(stage.under.sql);
      const first = await send(stage, "POST", path, signed(body), body);
      const after = await takeSnapshot(stage.under.sql);
      expect(await withoutTrace(stage, () => send(stage, "POST", path, signed(body), body))).toMatchObject({
        status: 200,
      });
      expect(first.status).toBe(200);
      expect({ ...after, "recorder.inbox": "" }).toEqual({ ...before, "recorder.inbox": "" });
      expect(after["recorder.inbox"]).not.toBe(before["recorder.inbox"]);
    });

    test("a forged one is answered 401", async () => {
      const forgeries: [Record<string, string>, string][] = [];
      const body = event();
      forgeries.push([signed(body, "another secret"), body]);
      forgeries.push([signed(body), body.replace('"eventType":41', '"eventType":40')]);
      forgeries.push([{ ...signed(body), "Agora-Signature-V2": "" }, body]);
      forgeries.push([{ "content-type": "application/json" }, body]);
      for (const [headers, sent] of forgeries) {
        const answer = await withoutTrace(stage, () => send(stage, "POST", path, headers, sent));
        expect(answer).toEqual({ status: 401, body: { code: "signature_invalid" } });
      }
    });

    test.each(["", "not JSON", "[]", '{"eventType": 41}'])(
      "a signed body %j is answered 400",
      async (body) => {
        const answer = await withoutTrace(stage, () => send(stage, "POST", path, signed(body), body));
        expect(answer).toEqual({ status: 400, body: { code: "engine_event_malformed" } });
      },
    );

    test("a signed one of more than 64 KiB is answered 413", async () => {
      const body = event().replace('"leaveCode":2', `"leaveCode":2,"more":"${"x".repeat(65_536)}"`);
      const answer = await withoutTrace(stage, () => send(stage, "POST", path, signed(body), body));
      expect(answer).toEqual({ status: 413, body: { code: "event_too_long" } });
    });

    test("GET is answered 405", async () => {
      expect((await withoutTrace(stage, () => send(stage, "GET", path, signed("")))).status).toBe(405);
    });
  });
}
