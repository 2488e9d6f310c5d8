import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { joinCall, type Person, refused, type WishAnswer, wish } from "../people.ts";
import { type Stage, send, withoutTrace } from "./stage.ts";

/** Words that are none, and wishes of people who have none to express. */
export function describeWishes(stage: Stage): void {
  describe("Wishes", () => {
    const writers: [string, () => Person["client"]][] = [
      ["a participant", () => stage.fresh.pair.mentor.client],
      ["the service key", () => stage.under.people.service],
    ];
    const words = {
      started: "status_unknown",
      RECORDING: "status_unknown",
      "": "status_unknown",
      "' or 1=1 --": "status_unknown",
      processing: "status_not_a_wish",
      expired: "status_not_a_wish",
    };
    describe.each(writers)("of %s", (_who, client) => {
      test.each(Object.entries(words))("%j is answered 422 %s", async (word, code) => {
        const answer = await withoutTrace(stage, () => wish(client(), stage.fresh.call.id, word));
        expect(answer).toEqual(refused(422, code));
      });
    });

    test("null on a recorded call is no word either: 422", async () => {
      const answer = await withoutTrace(stage, () =>
        wish(stage.recorded.pair.mentor.client, stage.recorded.call.id, null),
      );
      expect(answer).toEqual(refused(422, "status_unknown"));
    });

    test("a body that is not JSON is answered 400", async () => {
      const headers = {
        apikey: stage.under.stack.publishableKey,
        authorization: `Bearer ${stage.fresh.pair.mentor.accessToken}`,
        "content-type": "application/json",
      };
      const path = `/rest/v1/video_calls?id=eq.${stage.fresh.call.id}`;
      for (const body of ['{"recording_status": "starting"', "recording_status=starting", ""]) {
        const answer = await withoutTrace(stage, () => send(stage, "PATCH", path, headers, body));
        expect(answer).toMatchObject({ status: 400, body: { code: "PGRST102" } });
      }
    });

    const nothingFound: WishAnswer = { status: 200, code: undefined, became: [] };
    test.each(["starting", "stopping", "nonsense"])(
      "a stranger writing %j on somebody else's call finds no row and learns nothing",
      async (word) => {
        const { recorded, fresh, stranger } = stage;
        for (const [person, callId] of [
          [stranger, fresh.call.id],
          [recorded.pair.mentor, fresh.call.id],
          [stranger, randomUUID()],
        ] as const) {
          const answer = await withoutTrace(stage, () => wish(person.client, callId, word));
          expect(answer).toEqual(nothingFound);
        }
      },
    );

    test("whoever has not signed in is answered 401", async () => {
      const answer = await withoutTrace(stage, () =>
        wish(stage.under.people.anonymous(), stage.fresh.call.id, "starting"),
      );
      expect(answer).toEqual(refused(401, "42501"));
      for (const [name, args] of [
        ["join_call", { mentorship_id: stage.fresh.pair.mentorshipId }],
        ["end_call", { call_id: stage.fresh.call.id }],
      ] as const) {
        const { status, error } = await withoutTrace(stage, async () =>
          stage.under.people.anonymous().rpc(name, args),
        );
        expect([status, error?.code]).toEqual([401, "42501"]);
      }
    });

    test("a stranger can neither join nor end: 403 with our code", async () => {
      const join = await withoutTrace(stage, () =>
        stage.stranger.client.rpc("join_call", { mentorship_id: stage.fresh.pair.mentorshipId }),
      );
      expect([join.status, join.error?.code]).toEqual([403, "mentorship_not_found"]);
      const end = await withoutTrace(stage, async () =>
        stage.stranger.client.rpc("end_call", { call_id: stage.fresh.call.id }),
      );
      expect([end.status, end.error?.code]).toEqual([403, "call_not_found"]);
    });

    test("start on an ended call is answered 409 call_ended", async () => {
      const own = await stage.under.people.pair();
      const call = await joinCall(own.mentor, own.mentorshipId);
      await own.mentee.client.rpc("end_call", { call_id: call.id });
      for (const client of [own.mentor.client, stage.under.people.service]) {
        for (const word of ["starting", "recording"]) {
          expect(await withoutTrace(stage, () => wish(client, call.id, word))).toEqual(
            refused(409, "call_ended"),
          );
        }
      }
    });

    test("a participant of a mentorship that is over finds no row to write", async () => {
      const own = await stage.under.people.pair();
      const call = await joinCall(own.mentor, own.mentorshipId);
      await stage.under.people.service
        .from("mentorships")
        .update({ status: "ended" })
        .eq("id", own.mentorshipId);
      expect(await withoutTrace(stage, () => wish(own.mentor.client, call.id, "starting"))).toEqual(
        nothingFound,
      );
      const join = await withoutTrace(stage, () =>
        own.mentee.client.rpc("join_call", { mentorship_id: own.mentorshipId }),
      );
      expect([join.status, join.error?.code]).toEqual([403, "mentorship_not_found"]);
    });
  });
}
