import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { processTable } from "../../local/stack/process-groups.ts";
import { joinCall, wish } from "./people.ts";
import { useStack } from "./stack-under-test.ts";
import { eventually, watchCall } from "./watching.ts";

const under = useStack();

/** Without /proc the process of one function cannot be found. */
const canFindProcesses = processTable() !== undefined;

/** Shorter than what is waited for in real life (a minute, a minute and a half, ten seconds), in the same order. */
const waits = { control_lease: 1, attempt_deadline: 4, drain_lease: 2 };

beforeAll(async () => {
  const { sql } = under;
  for (const [name, seconds] of Object.entries(waits)) {
    await sql`update recorder.settings set value = ${seconds} where name = ${name}`;
  }
  await sql.begin(async (transaction) => {
    await transaction`set local role postgres`;
    await transaction`select cron.schedule('recorder-sweep', '1 seconds', 'select recorder.sweep()')`;
  });
});

/** Ends the process of run-control the hard way, and waits until it is gone. */
async function killRunControl(): Promise<void> {
  const parent = under.stack.pids().functions;
  const children = () => (processTable() ?? []).filter((entry) => entry.parent === parent && !entry.isZombie);
  const [found, ...more] = children().filter(({ pid }) =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("/functions/run-control/"),
  );
  if (found === undefined || more.length > 0) throw new Error("run-control is not exactly one process");
  process.kill(found.pid, "SIGKILL");
  await eventually(() => children().some(({ pid }) => pid === found.pid), false);
}

/** Kills run-control as soon as the engine has met this fault. */
async function killAt(fault: Record<string, unknown>, ask: () => Promise<unknown>): Promise<void> {
  await under.engine.addFault(fault);
  await ask();
  await eventually(() => under.engine.openFaults(), []);
  await killRunControl();
}

async function newScene() {
  const pair = await under.people.pair();
  const call = await joinCall(pair.mentor, pair.mentorshipId);
  const view = await watchCall(pair.mentee.client, call.id);
  const say = (word: string) => wish(pair.mentor.client, call.id, word);
  /** Waits until a recorder is there, and asserts that it is the only one; gives the number of attempts it took. */
  const untilRecording = async () => {
    await view.until("recording", { limitMs: 60_000 });
    expect(await under.engine.tasks(call.channel)).toHaveLength(1);
    const tasks = await under.sql`select from recorder.engine_tasks where channel = ${call.channel}`;
    // Something to keep.
    await pause(500);
    return tasks.length;
  };
  const untilRecorded = async () => {
    await under.engine.untilNothingRuns(call.channel, 60_000);
    return await view.until("recorded", { limitMs: 60_000 });
  };
  return { call, say, untilRecording, untilRecorded };
}

describe.skipIf(!canFindProcesses)("run-control is killed", () => {
  test("while it asks for a recorder, and again while it stops it: both are done by the next one", async () => {
    const { say, untilRecording, untilRecorded } = await newScene();
    await killAt({ kind: "delay", call: "acquire", ms: 1_000 }, () => say("starting"));
    expect(await untilRecording()).toBe(1);
    await killAt({ kind: "delay", call: "stop", ms: 1_000 }, () => say("stopping"));
    const { recording_id: recordingId } = await untilRecorded();

    const lost = await under.sql`
      select kind, state from recorder.jobs
      where recording_id = ${recordingId} and last_error ->> 'detail' like 'the lease expired%' order by kind`;
    expect([...lost]).toEqual([
      { kind: "start", state: "done" },
      { kind: "stop", state: "done" },
    ]);
  }, 180_000);

  test("after the engine has begun and before it heard so: that recorder is found and no other is started", async () => {
    const { say, untilRecording, untilRecorded } = await newScene();
    await killAt({ kind: "lose_reply", call: "start" }, () => say("starting"));
    expect(await untilRecording()).toBe(1);
    await say("stopping");
    await untilRecorded();
  }, 180_000);

  test("with a start on the way that never arrives: the very same start is sent again, and no other recorder is asked for", async () => {
    const { say, untilRecording, untilRecorded } = await newScene();
    await killAt({ kind: "delay", call: "start", ms: 1_000 }, () => say("starting"));
    expect(await untilRecording()).toBe(1);
    await say("stopping");
    await untilRecorded();
  }, 180_000);
});
