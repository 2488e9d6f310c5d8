import { expect, test } from "vitest";
import { viewBucket } from "./bucket.ts";
import { joinCall, wish } from "./people.ts";
import { useStack } from "./stack-under-test.ts";
import { statusesOf, watchCall } from "./watching.ts";

const under = useStack();

test("a call in which nobody sends anything ends in failed, with the reason, and a new start is possible", async () => {
  const { people, engine, stack } = under;
  const { mentor, mentee, mentorshipId } = await people.pair();
  const call = await joinCall(mentor, mentorshipId);
  const view = await watchCall(mentee.client, call.id);
  await engine.silence(call.channel);
  await wish(mentor.client, call.id, "starting");
  await view.until("recording");
  await wish(mentor.client, call.id, "stopping");
  const failed = await view.until("failed");

  expect(statusesOf(view.broadcasts)).toEqual(["starting", "recording", "stopping", "processing", "failed"]);
  expect(failed).toMatchObject({
    recording_url: null,
    recording_error: {
      code: "nothing_recorded",
      blame: "user",
      retry: "never",
      message: expect.stringContaining("Nobody sent"),
    },
  });
  expect(Object.keys(failed.recording_error ?? {}).sort()).toEqual(["blame", "code", "message", "retry"]);
  const folder = `recordings/${failed.recording_id?.replaceAll("-", "")}/`;
  expect([...(await viewBucket(stack).list(folder)).keys()]).toEqual([]);
  const answer = await fetch(`${stack.url}/functions/v1/play-recording`, {
    method: "POST",
    headers: { apikey: stack.publishableKey, authorization: `Bearer ${mentee.accessToken}` },
    body: JSON.stringify({ recording_id: failed.recording_id }),
  });
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ status: "failed", hls: null, mp4: [], download: null });

  expect(await wish(mentee.client, call.id, "starting")).toMatchObject({ became: ["starting"] });
});
