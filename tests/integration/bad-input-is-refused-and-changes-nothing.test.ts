import { expect, test } from "vitest";
import { describeApiKeys } from "./bad-input/api-keys.ts";
import { describeEngineEvents } from "./bad-input/engine-events.ts";
import { describeEngineRoom } from "./bad-input/engine-room.ts";
import { describeFacts } from "./bad-input/facts.ts";
import { describePlayback } from "./bad-input/playback.ts";
import { setStage, withoutTrace } from "./bad-input/stage.ts";
import { describeWakeUps } from "./bad-input/wake-ups.ts";
import { describeWishes } from "./bad-input/wishes.ts";
import { joinCall, refused, wish } from "./people.ts";
import { useStack } from "./stack-under-test.ts";
import { eventually, watchCall } from "./watching.ts";

const stage = setStage(useStack());

describeApiKeys(stage);
describeWakeUps(stage);
describeEngineEvents(stage);
describeWishes(stage);
describeFacts(stage);
describeEngineRoom(stage);
describePlayback(stage);

// The last one: what follows from it is still under way when it ends.
test("start while the last recording is still stopping is answered 409 still_stopping", async () => {
  const { sql, engine, people } = stage.under;
  const own = await people.pair();
  const call = await joinCall(own.mentor, own.mentorshipId);
  const view = await watchCall(own.mentee.client, call.id);
  await wish(own.mentor.client, call.id, "starting");
  await view.until("recording");
  // The sweep would ask again for the stop that is under way: it is held off, so that only the start could change anything.
  const holding = await sql.reserve();
  await holding`select pg_advisory_lock(hashtextextended('recorder.sweep', 0))`;
  try {
    await engine.addFault({ kind: "delay", call: "stop", ms: 2_500 });
    await wish(own.mentor.client, call.id, "stopping");
    await eventually(() => engine.openFaults(), []);
    for (const [client, word] of [
      [own.mentee.client, "starting"],
      [people.service, "recording"],
    ] as const) {
      const answer = await withoutTrace(stage, () => wish(client, call.id, word));
      expect(answer).toEqual(refused(409, "still_stopping"));
    }
  } finally {
    await holding`select pg_advisory_unlock(hashtextextended('recorder.sweep', 0))`;
    holding.release();
  }
});
