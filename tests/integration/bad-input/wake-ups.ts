import { createHmac, randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type Stage, send, withoutTrace } from "./stage.ts";

/** What comes to the functions that the database wakes. */
export function describeWakeUps(stage: Stage): void {
  describe("Wake-ups", () => {
    const functions = ["run-control", "run-storage"];
    const now = () => Math.floor(Date.now() / 1000);

    /** Signed by the Standard Webhooks rules, independently of the code under test. */
    function signed(body: string, options: { at?: number; secret?: string } = {}): Record<string, string> {
      const secret = options.secret ?? stage.under.stack.env.WAKE_UP_SECRET ?? "";
      const at = String(options.at ?? now());
      const id = `wake_${randomUUID()}`;
      const signature = createHmac("sha256", Buffer.from(secret.slice("whsec_".length), "base64"))
        .update(`${id}.${at}.${body}`)
        .digest("base64");
      return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": at,
        "webhook-signature": `v1,${signature}`,
      };
    }

    test.each(functions)("%s answers 202 to a genuine one", async (name) => {
      const body = JSON.stringify({ lane: name.slice("run-".length), sent_at: now() });
      const answer = await withoutTrace(stage, () =>
        send(stage, "POST", `/functions/v1/${name}`, signed(body), body),
      );
      expect(answer).toEqual({ status: 202, body: "" });
    });

    const body = '{"lane": "control"}';
    const forgeries: { what: string; headers: () => Record<string, string>; sent?: string }[] = [
      {
        what: "signed with another secret",
        headers: () => signed(body, { secret: `whsec_${Buffer.alloc(32, 7).toString("base64")}` }),
      },
      { what: "of six minutes ago", headers: () => signed(body, { at: now() - 360 }) },
      { what: "of six minutes to come", headers: () => signed(body, { at: now() + 360 }) },
      { what: "whose body was changed", headers: () => signed(body), sent: '{"lane": "contro1"}' },
      {
        what: "whose time was changed",
        headers: () => ({ ...signed(body), "webhook-timestamp": String(now() - 1) }),
      },
      { what: "whose id was changed", headers: () => ({ ...signed(body), "webhook-id": "wake_another" }) },
      { what: "without a signature", headers: () => ({ "content-type": "application/json" }) },
      {
        what: "with a secret key instead of a signature",
        headers: () => ({ authorization: `Bearer ${stage.under.stack.secretKey}` }),
      },
    ];
    describe.each(functions)("%s", (name) => {
      test.each(forgeries)("answers 401 to one $what", async ({ headers, sent }) => {
        const answer = await withoutTrace(stage, () =>
          send(stage, "POST", `/functions/v1/${name}`, headers(), sent ?? body),
        );
        expect(answer).toEqual({ status: 401, body: "" });
      });
    });

    test.each(functions)("%s answers 405 to GET", async (name) => {
      const answer = await withoutTrace(stage, () => send(stage, "GET", `/functions/v1/${name}`, signed("")));
      expect(answer.status).toBe(405);
    });
  });
}
