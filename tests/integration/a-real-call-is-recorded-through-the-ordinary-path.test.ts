import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import type { CallerClock } from "../../local/agora/tests/caller-media.ts";
import { NodeCaller } from "../../local/agora/tests/node-caller.ts";
import { recordersOf } from "../../local/agora/tests/recorder-processes.ts";
import { until } from "../../local/agora/tests/stage.ts";
import type { CallCredentials } from "../../web/src/calls/transport.ts";
import { viewBucket } from "./bucket.ts";
import { joinCall, type Person, wish } from "./people.ts";
import { useStack } from "./stack-under-test.ts";
import { watchCall } from "./watching.ts";

const under = useStack();
const clock: CallerClock = { u: 100, v: 190, pitch: 1_000, beepAtMs: 0 };
const limitMs = 120_000;

const recordingRow = z.looseObject({
  status: z.string(),
  duration_ms: z.number(),
  is_partial: z.boolean(),
  gaps: z.array(z.object({ from_ms: z.number(), to_ms: z.number() })),
});

/** Joins a call's media as the portal does: with what call-token answers. */
async function callIn({ client }: Person, callId: string): Promise<NodeCaller> {
  const { data, error } = await client.functions.invoke<CallCredentials>("call-token", {
    body: { call_id: callId },
  });
  if (error !== null || data === null) throw error;
  return NodeCaller.join(data, clock);
}

test("a call of two people is recorded; when its recorder is killed it goes on, is recorded, and says where it lacks", async () => {
  const { people, stack, engine } = under;
  const { mentor, mentee, mentorshipId } = await people.pair();
  const call = await joinCall(mentor, mentorshipId);
  const view = await watchCall(mentee.client, call.id);
  const callers = [await callIn(mentor, call.id), await callIn(mentee, call.id)];
  try {
    await wish(mentor.client, call.id, "starting");
    const { recording_id: recordingId } = await view.until("recording", { limitMs });
    const enginePid = stack.pids().agora ?? 0;
    const slices = async () => {
      const stored = await viewBucket(stack).list(`recordings/${recordingId?.replaceAll("-", "")}/`);
      return [...stored.keys()].filter((key) => key.endsWith(".ts"));
    };
    await until("a slice of the first recorder", async () => (await slices()).length > 0, limitMs);
    const recorders = recordersOf(enginePid);
    expect(recorders).toHaveLength(1);
    for (const pid of recorders) process.kill(pid, "SIGKILL");
    await until(
      "a slice of the next recorder",
      async () => (await slices()).some((key) => key.includes("/bak0_")),
      limitMs,
    );
    await pause(500);
    await wish(mentor.client, call.id, "stopping");
    await view.until("recorded", { limitMs });

    const { data } = await mentee.client.from("recordings").select("*").eq("id", recordingId).single();
    const recording = recordingRow.parse(data);
    expect(recording).toMatchObject({ status: "recorded", is_partial: true });
    expect(recording.gaps).toHaveLength(1);
    const [gap] = recording.gaps;
    expect(gap?.from_ms).toBeGreaterThan(0);
    expect(gap?.from_ms).toBeLessThan(recording.duration_ms);
    expect(recordersOf(enginePid)).toEqual([]);
    expect(await engine.running(call.channel)).toEqual([]);
  } finally {
    await Promise.all(callers.map((caller) => caller.leave()));
  }
}, 300_000);
