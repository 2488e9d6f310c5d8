import { expect, test } from "vitest";
import { REFUSALS, type RefusalId, Refusals } from "../../../local/agora/refusals/list.ts";
import type { RefusalRule } from "../../../local/agora/refusals/refusal.ts";
import { unconfirmedRules } from "../../../local/agora/unconfirmed.ts";
import { verdictOf } from "../../../supabase/functions/_shared/agora/outcomes.ts";
import type { AgoraCall } from "../../../supabase/functions/_shared/agora/transport.ts";

/*
 * Everything that the stand-in refuses, in each way that Agora's pages leave open, as our client understands it: an answer
 * that it can only call unknown or unreadable would be one that we were told of and did not listen to.
 */

const ofTask: AgoraCall[] = ["query", "updateLayout", "stop"];
const callsByRoom: Record<string, AgoraCall[]> = {
  gateway: ["acquire", "start", ...ofTask],
  acquire: ["acquire"],
  start: ["start"],
  storage: ["start"],
  task: ofTask,
  query: ["query"],
  layout: ["updateLayout"],
  stop: ["stop"],
};

function callsOf(id: string, rule: RefusalRule & { calls?: readonly string[] }): AgoraCall[] {
  if (rule.calls !== undefined) {
    return ["acquire" as const, "start" as const, ...ofTask].filter((call) => rule.calls?.includes(call));
  }
  return callsByRoom[id.split(".")[0] ?? ""] ?? [];
}

const variants = [
  {},
  { statusOfOlderCodes: 404, channelNameCode: 1013, layoutErrorCode: 1028, slowStop: "206 alone" },
  { statusOfOlderCodes: 500, channelNameCode: 1013, layoutErrorCode: 1028, slowStop: "400 with code 50" },
].map((variant) => unconfirmedRules.parse(variant));

const rules: [string, RefusalRule & { calls?: readonly string[] }][] = Object.entries(REFUSALS);
const answered = rules.filter(([, { answer }]) => typeof answer === "function" || !("event" in answer));

test.each(answered)("%s", (id, rule) => {
  for (const variant of variants) {
    const answer = new Refusals(variant).when(id as RefusalId, () => true);
    if (answer === null) throw new Error("the list has no such rule");
    for (const call of callsOf(id, rule)) {
      const told = {
        httpStatus: answer.status,
        body: answer.body,
        requestId: undefined,
        retryAfterMs: undefined,
      };
      const verdict = verdictOf(call, told, []);
      if (!("error" in verdict)) continue;
      expect(verdict.error.code, call).not.toMatch(/^engine_answer_/);
      expect(verdict.error.blame, call).toMatch(/^(engine|configuration|us)$/);
    }
  }
});

test("every rule with an answer belongs to a call of ours, but for the one that we do not make", () => {
  const without = answered.filter(([id, rule]) => callsOf(id, rule).length === 0).map(([id]) => id);
  expect(without).toEqual(["update.lists"]);
});
