import { type Figure, figuresOfRows } from "./figures.ts";
import { signInMentor } from "./mentor.ts";
import { startObservedStack } from "./observed-stack.ts";
import { pathOf } from "./path-steps.ts";
import { measurePushes } from "./pushes.ts";
import { type RecordingTimes, recordOneByOne } from "./recording-path.ts";
import type { Suite } from "./suite.ts";

/** How long wishes, stops and pushes take on a stack that does nothing else. */
export const latency: Suite = async ({ recordings, pushes, signal, say }) => {
  say("latency: starting a stack");
  const stack = await startObservedStack(signal);
  try {
    const mentor = await signInMentor(stack);
    let pushFigures: Figure[];
    let times: RecordingTimes[];
    try {
      pushFigures = await measurePushes(mentor, stack.databaseUrls.postgres, pushes, signal, say);
      times = await recordOneByOne(mentor, stack.databaseUrls.admin, recordings, signal, say);
    } finally {
      await mentor.leave();
    }
    await stack.stop();
    const observations = await stack.observations();
    const paths = times.map((recording) => pathOf(recording, observations));
    const took = (name: string, ms: (times: RecordingTimes) => number, note?: string): Figure => ({
      name,
      unit: "ms",
      values: times.map(ms),
      ...(note === undefined ? {} : { note }),
    });
    const toAcquire = "client's update to the engine's acquire call";
    const toStop = "client's stop to the engine's stop call";
    return [
      {
        name: toAcquire,
        unit: "ms",
        values: paths.map(({ toAcquireMs }) => toAcquireMs),
        target: { of: "median", below: 100 },
        note: "from just before supabase-js sends the update until the engine's server has read the head of acquire; before each: no drain, no due job, pg_net rested. The steps leave out those that the sweep was faster with than the wake-up",
      },
      {
        name: "the first one after the start of the stack",
        unit: "ms",
        values: paths.slice(0, 1).map(({ toAcquireMs }) => toAcquireMs),
        partOf: toAcquire,
      },
      ...figuresOfRows(
        paths.flatMap(({ acquireSteps }) => (acquireSteps === undefined ? [] : [acquireSteps])),
        { unit: "ms", partOf: toAcquire },
      ),
      took(
        "client's update to its answer",
        ({ wishedAt, wishAnsweredAt }) => wishAnsweredAt - wishedAt,
        "goes on beside the path to the engine",
      ),
      took(
        "client's update to the status recording, pushed",
        ({ wishedAt, recordingAt }) => recordingAt - wishedAt,
        "the engine's stand-in takes 1.2 s of it to join",
      ),
      {
        name: toStop,
        unit: "ms",
        values: paths.map(({ toStopMs }) => toStopMs),
        note: "the recording is about a second old: its lane is still drained, pg_net rests, and the drain's next look (every 250 ms) finds the stop",
      },
      ...figuresOfRows(
        paths.flatMap(({ stopSteps }) => (stopSteps === undefined ? [] : [stopSteps])),
        { unit: "ms", partOf: toStop },
      ),
      took(
        "client's stop to the status stopping, pushed",
        ({ stopWishedAt, stoppingAt }) => stoppingAt - stopWishedAt,
      ),
      took(
        "client's stop to the status processing, pushed",
        ({ stopWishedAt, processingAt }) => processingAt - stopWishedAt,
      ),
      took(
        "client's stop to the status recorded, pushed",
        ({ stopWishedAt, recordedAt }) => recordedAt - stopWishedAt,
      ),
      ...pushFigures,
    ];
  } finally {
    await stack.remove();
  }
};
