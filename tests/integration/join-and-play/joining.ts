import { randomUUID } from "node:crypto";
import { inflateSync } from "node:zlib";
import { FunctionsHttpError } from "@supabase/supabase-js";
import { RtcRole, RtcTokenBuilder } from "agora-token";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { verifyRtcToken } from "../../../local/agora/rtc-token.ts";
import { joinCall, type Person, wish } from "../people.ts";
import type { StackUnderTest } from "../stack-under-test.ts";
import { eventually, watchCall } from "../watching.ts";

const callToken = z.strictObject({
  transport: z.literal("local"),
  url: z.string().regex(/^ws:\/\/127\.0\.0\.1:\d+\/calls$/),
  app_id: z.string(),
  channel: z.string(),
  uid: z.number().int().min(1).max(3_999_999_999),
  token: z.string(),
  expires_at: z.iso.datetime(),
  mode: z.literal("live"),
});

/** Asks as the portal does, with the ordinary client. */
async function askForToken({ client }: Pick<Person, "client">, body: unknown) {
  const { data, error } = await client.functions.invoke("call-token", {
    body: body as Record<string, unknown>,
  });
  if (error === null) return { status: 200, body: data as unknown };
  if (!(error instanceof FunctionsHttpError)) throw error;
  const answer: Response = error.context;
  return { status: answer.status, body: (await answer.json()) as unknown };
}

async function tokenOf(person: Person, callId: string) {
  const { status, body } = await askForToken(person, { call_id: callId });
  expect([status, body]).toMatchObject([200, {}]);
  return callToken.parse(body);
}

/** What a token holds beside what differs from one to the next: signature, time of issue, salt. */
function lastingFactsOf(token: string): string {
  const content = inflateSync(Buffer.from(token.slice("007".length), "base64"));
  const [signature, appId, number] = [2 + 32, 2 + 32, 4];
  const issuedAt = signature + appId;
  content.fill(0, 0, signature);
  content.fill(0, issuedAt, issuedAt + number);
  content.fill(0, issuedAt + 2 * number, issuedAt + 3 * number);
  return content.toString("hex");
}

/** Tokens for calls: who gets one, and that it opens what it says. */
export function describeJoining(under: StackUnderTest): void {
  describe("Joining", () => {
    test("both people join one channel under numbers of their own, with tokens that the media servers take", async () => {
      const { people, stack } = under;
      const { mentor, mentee, mentorshipId } = await people.pair();
      const call = await joinCall(mentor, mentorshipId);
      const tokens = [await tokenOf(mentor, call.id), await tokenOf(mentee, call.id)];
      expect(new Set(tokens.map(({ channel }) => channel))).toEqual(new Set([call.channel]));
      expect(new Set(tokens.map(({ uid }) => uid)).size).toBe(2);

      const appId = stack.env.AGORA_APP_ID ?? "";
      const appCertificate = stack.env.AGORA_APP_CERTIFICATE ?? "";
      for (const given of tokens) {
        expect(given.app_id).toBe(appId);
        const wanted = {
          appId,
          appCertificate,
          channel: call.channel,
          uid: String(given.uid),
          nowMs: Date.now(),
        };
        const expiresAtMs = Date.parse(given.expires_at);
        expect(verifyRtcToken(given.token, wanted)).toEqual({ ok: true, expiresAtMs });
        expect(expiresAtMs - Date.now()).toBeGreaterThan(3.9 * 3_600_000);
        expect(expiresAtMs - Date.now()).toBeLessThan(24 * 3_600_000);
        expect(verifyRtcToken(given.token, { ...wanted, uid: "1" })).toMatchObject({ ok: false });
        expect(verifyRtcToken(given.token, { ...wanted, channel: "another" })).toMatchObject({ ok: false });
        expect(verifyRtcToken(given.token, { ...wanted, nowMs: expiresAtMs })).toMatchObject({ ok: false });
        // Agora's own builder puts exactly the same facts into the same places.
        const seconds = 14_400;
        const theirs = RtcTokenBuilder.buildTokenWithUid(
          appId,
          appCertificate,
          call.channel,
          given.uid,
          RtcRole.PUBLISHER,
          seconds,
          seconds,
        );
        expect(lastingFactsOf(given.token)).toBe(lastingFactsOf(theirs));
      }

      // The same person has the same number in the next call.
      expect((await mentor.client.rpc("end_call", { call_id: call.id })).error).toBeNull();
      const next = await joinCall(mentor, mentorshipId);
      expect(next.id).not.toBe(call.id);
      const again = await tokenOf(mentor, next.id);
      expect([again.uid, again.channel]).toEqual([tokens[0]?.uid, next.channel]);
    });

    test("who may not join is refused without a hint of what there is", async () => {
      const { people } = under;
      const { mentor, mentee, mentorshipId } = await people.pair();
      const [call, stranger] = [await joinCall(mentor, mentorshipId), await people.stranger()];
      const notFound = { status: 403, body: { code: "call_not_found", message: expect.any(String) } };
      const never = await askForToken(stranger, { call_id: randomUUID() });
      expect(never).toEqual(notFound);
      expect(await askForToken(stranger, { call_id: call.id })).toEqual(never);
      const { mentor: elsewhere } = await people.pair();
      expect(await askForToken(elsewhere, { call_id: call.id })).toEqual(never);

      const nobody = { status: 401, body: { code: "sign_in_required" } };
      expect(await askForToken({ client: people.anonymous() }, { call_id: call.id })).toMatchObject(nobody);
      expect(await askForToken({ client: people.service }, { call_id: call.id })).toMatchObject(nobody);

      expect(await askForToken(mentor, {})).toMatchObject({ status: 400, body: { code: "call_id_missing" } });
      expect(await askForToken(mentor, "call_id")).toMatchObject({
        status: 400,
        body: { code: "body_not_json" },
      });

      expect((await mentor.client.rpc("end_call", { call_id: call.id })).error).toBeNull();
      expect(await askForToken(mentee, { call_id: call.id })).toMatchObject({
        status: 409,
        body: { code: "call_ended" },
      });
      expect(await askForToken(stranger, { call_id: call.id })).toEqual(never);

      const next = await joinCall(mentor, mentorshipId);
      expect(await askForToken(mentee, { call_id: next.id })).toMatchObject({ status: 200 });
      await people.service.from("mentorships").update({ status: "ended" }).eq("id", mentorshipId);
      expect(await askForToken(mentee, { call_id: next.id })).toEqual(never);
      expect(await askForToken(mentor, { call_id: call.id })).toEqual(never);
    });

    test("who joins wakes what nobody else wakes: without Vault and scheduler a wish is still carried out", async () => {
      const { people, sql } = under;
      const { mentor, mentee, mentorshipId } = await people.pair();
      const call = await joinCall(mentor, mentorshipId);
      const view = await watchCall(mentee.client, call.id);
      await sql`update cron.job set active = false`;
      await sql`select vault.update_secret(id, new_name => 'mislaid') from vault.secrets where name = 'wake_up_secret'`;
      const statusNow = async () =>
        (await sql`select recording_status from public.video_calls where id = ${call.id}`)[0]
          ?.recording_status;
      try {
        // A drain that lingers would find the wish by itself.
        await eventually(
          () =>
            sql`select 1 from recorder.drains where lane = 'control' and leased_until > clock_timestamp()`,
          [],
        );
        expect(await wish(mentor.client, call.id, "starting")).toMatchObject({ status: 200 });
        // As if it had been waiting; the scheduler may have had one last run under way.
        await sql`
          update recorder.jobs set run_at = run_at - interval '20 seconds' where kind = 'start' and state = 'queued'`;
        expect(await statusNow()).toBe("starting");
        // Whoever else was told of the lane a moment before keeps us from being told: a page that renews its token asks again.
        await eventually(async () => {
          expect((await askForToken(mentee, { call_id: call.id })).status).toBe(200);
          return (await statusNow()) !== "starting";
        }, true);
        await view.until("recording");
      } finally {
        await sql`select vault.update_secret(id, new_name => 'wake_up_secret') from vault.secrets where name = 'mislaid'`;
        await sql`update cron.job set active = true`;
      }
      expect(await wish(mentor.client, call.id, "stopping")).toMatchObject({ status: 200 });
    }, 180_000);

    test("a page on any origin may ask, since a browser sends no token by itself", async () => {
      const answer = await fetch(`${under.stack.url}/functions/v1/call-token`, {
        method: "OPTIONS",
        headers: {
          origin: "https://portal.example",
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization,apikey,content-type,x-client-info",
        },
      });
      expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([204, "*"]);
      expect(answer.headers.get("access-control-allow-headers")).toContain("authorization");
    });
  });
}
