import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { credentialsFor } from "../../local/agora/tests/call-stage.ts";
import { NodeCaller } from "../../local/agora/tests/node-caller.ts";
import { recordersOf } from "../../local/agora/tests/recorder-processes.ts";
import { clientOf, openSink, startRequestFor } from "../../local/agora/tests/stage.ts";
import { memoryOf } from "../../local/stack/process-groups.ts";
import { percentile } from "../figures.ts";
import { describeMachine, lookAtLoad } from "../machine.ts";
import { type Usage, watchProcess } from "../storage/process-watch.ts";

const seconds = 15;
/** What a camera sends, and what the preset 720p records. */
const shape = { width: 1280, height: 720, fps: 15, bitrate: 1_500 };
const transcodingConfig = { width: 1280, height: 720, fps: 15, bitrate: 2_260, mixedVideoLayout: 1 };
const targets = { cpuPercent: 40, bytes: 350 * 2 ** 20 };
/** A picture that the server holds for longer is seen as a freeze, ms: four pictures. */
const freezeMs = 270;
/** Sound and colours of nobody in particular. */
const clock = { u: 100, v: 190, pitch: 1_000, beepAtMs: 0 };

interface Measured {
  name: string;
  cpuPercent: number;
  /** Proportional share: what two processes hold in common counts once. */
  bytes: number;
  /** From a picture's sending to its arrival at another person, ms. */
  delays: number[];
}

/**
 * What calls cost at the media server: two people forwarded and recorded, beside the same two forwarded only (its peer: what a recorder adds
 * to a call that is held anyway), and four people. The callers, in this process, are no part of the figures.
 */
export async function benchMedia(): Promise<void> {
  const machine = await describeMachine();
  const load = await lookAtLoad();
  const sink = await openSink();
  const child = fork(join(import.meta.dirname, "engine.ts"), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const gone = once(child, "exit");
  try {
    const [told] = await once(child, "message");
    const engine = { address: z.string().parse(told), pid: child.pid ?? 0 };
    const forwarded = await measure("two people, forwarded only", engine, 2);
    const recorded = await measure("two people, recorded", engine, 2, sink.host);
    const four = await measure("four people, recorded", engine, 4, sink.host);
    const rows = [forwarded, recorded, four];
    console.log(
      [
        `media: ${seconds} s each, ${shape.width}x${shape.height} at ${shape.fps}/s; ${machine.cores} cores, ${machine.processor}, load ${load.average[0]?.toFixed(1)}, commit ${machine.commit}`,
        ...rows.map(textOf),
        `recording costs ${(recorded.cpuPercent / forwarded.cpuPercent).toFixed(1)} times the processor and ${(recorded.bytes / forwarded.bytes).toFixed(1)} times the memory of forwarding alone`,
        `target: two people recorded below ${targets.cpuPercent} % of one core ${verdict(recorded.cpuPercent < targets.cpuPercent)}, below ${targets.bytes / 2 ** 20} MB ${verdict(recorded.bytes < targets.bytes)}`,
        `target: four people without freezes by the server ${verdict(freezesOf(four) === 0)}`,
      ].join("\n"),
    );
  } finally {
    if (child.connected) child.send("stop");
    await gone;
    await sink.close();
  }
}

async function measure(
  name: string,
  engine: { address: string; pid: number },
  people: number,
  storeHost?: string,
): Promise<Measured> {
  const channel = `bench-${name.replaceAll(/\W/g, "")}`;
  const callers: NodeCaller[] = [];
  try {
    for (let uid = 1; uid <= people; uid++) {
      callers.push(await NodeCaller.join(await credentialsFor(engine.address, channel, uid), clock, shape));
    }
    const client = clientOf(engine.address);
    const task =
      storeHost === undefined
        ? undefined
        : await client.begin(
            channel,
            "4000000001",
            startRequestFor(channel, "4000000001", storeHost, {
              recordingConfig: { channelType: 1, transcodingConfig },
            }),
          );
    if (task) await client.reaches(task, 5);
    else await pause(3_000);
    const pids = [engine.pid, ...recordersOf(engine.pid)];
    const watches = await Promise.all(pids.map(watchProcess));
    const from = Date.now();
    await pause(seconds * 1_000);
    const passed = (Date.now() - from) / 1_000;
    // The recorder is a child of the engine.
    const bytes = memoryOf(engine.pid) ?? 0;
    const usages: Usage[] = await Promise.all(watches.map((watch) => watch.stop()));
    if (task) await client.stop(task);
    return {
      name,
      cpuPercent: (100 * usages.reduce((total, { cpuSeconds }) => total + cpuSeconds, 0)) / passed,
      bytes,
      delays: delaysOf(callers, from),
    };
  } finally {
    await Promise.all(callers.map((caller) => caller.leave()));
  }
}

/** From the sending of each picture to its arrival at everybody else; a picture is known by the moment of its making. */
function delaysOf(callers: NodeCaller[], from: number): number[] {
  const cycle = 2 ** 32 / 90;
  const sentAt = new Map<number, number>();
  for (const { sent } of callers) {
    for (const picture of sent) {
      if (picture.kind === "camera") sentAt.set(Math.round(picture.madeAt % cycle), picture.sentAt);
    }
  }
  return callers.flatMap(({ arrived }) =>
    arrived.flatMap(({ madeAtLow, at }) => {
      const sent = sentAt.get(Math.round(madeAtLow));
      return sent === undefined || at < from ? [] : [at - sent];
    }),
  );
}

const freezesOf = ({ delays }: Measured) => delays.filter((ms) => ms > freezeMs).length;
const verdict = (isMet: boolean) => (isMet ? "(met)" : "(MISSED)");

function textOf(measured: Measured): string {
  const { name, cpuPercent, bytes, delays } = measured;
  const [median, p95, most] = [0.5, 0.95, 1].map((share) => Math.round(percentile(delays, share)));
  return `  ${name.padEnd(27)} ${cpuPercent.toFixed(1).padStart(5)} % of one core  ${Math.round(bytes / 2 ** 20)} MB  pictures arrive after ${median} ms (p95 ${p95}, most ${most}), ${freezesOf(measured)} of ${delays.length} held longer than ${freezeMs} ms`;
}
