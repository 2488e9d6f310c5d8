import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { readLines } from "../local/stack/part-log.ts";
import type { Figure } from "./figures.ts";
import type { Suite } from "./suite.ts";

const demoFile = join(dirname(import.meta.dirname), "demo", "demo.ts");
const limitMs = 120_000;
const recordedSeconds = 3;

const media = z.object({ durationMs: z.number() });
const demoCall = z.object({
  stages: z.array(z.object({ name: z.string(), atMs: z.number() })),
  recordedMs: z.number(),
  playback: z.object({ hls: media, mp4: media }),
});
const demoTotals = z.object({ held: z.literal(true), overheadMs: z.number(), stackMs: z.number() });
const demoResult = z.union([
  demoTotals.extend({ calls: z.array(demoCall) }),
  demoTotals.extend(demoCall.shape).transform((one) => ({ ...one, calls: [one] })),
]);

/** What `npm run demo` costs beside the seconds it records, alone and with ten calls at once. */
export const demo: Suite = async ({ signal, say }) => {
  const figures: Figure[] = [];
  for (const calls of [1, 10]) {
    const result = await runDemo(calls, signal);
    const who = calls === 1 ? "demo" : `demo --calls ${calls}`;
    say(`demo: ${who}, ${result.overheadMs} ms of overhead`);
    figures.push(
      {
        name: `${who}, overhead`,
        unit: "ms",
        values: [result.overheadMs],
        target: { of: "max", below: 15_000 },
        note: "everything but the time recorded",
      },
      {
        name: "of that the start of its stack",
        unit: "ms",
        values: [result.stackMs],
        partOf: `${who}, overhead`,
      },
      {
        name: `${who}, wish to recording`,
        unit: "ms",
        values: result.calls.map((call) => between(call, "asked to start", "recording")),
      },
      {
        name: `${who}, stop to recorded`,
        unit: "ms",
        values: result.calls.map((call) => between(call, "asked to stop", "recorded")),
      },
      {
        name: `${who}, media longer or shorter than recorded`,
        unit: "ms",
        values: result.calls.flatMap(({ recordedMs, playback }) =>
          [playback.hls, playback.mp4].map(({ durationMs }) => Math.abs(durationMs - recordedMs)),
        ),
        target: { of: "max", below: 1_000 },
        note: "HLS and MP4 as probed, against the engine's own events 40 and 41",
      },
    );
  }
  return figures;
};

function between(call: z.output<typeof demoCall>, from: string, to: string): number {
  const at = (name: string): number => {
    const stage = call.stages.find((candidate) => candidate.name === name);
    if (stage === undefined) throw new Error(`the demo told no stage ${name}`);
    return stage.atMs;
  };
  return at(to) - at(from);
}

async function runDemo(calls: number, signal: AbortSignal): Promise<z.output<typeof demoResult>> {
  signal.throwIfAborted();
  // An empty folder: no stack runs on it, so that the demo starts its own.
  const folder = await mkdtemp(join(tmpdir(), "call-recording-bench-"));
  try {
    const child = spawn(
      process.execPath,
      [demoFile, "--json", "--seconds", String(recordedSeconds), "--calls", String(calls), "--data", folder],
      { stdio: ["ignore", "pipe", "pipe"] },
    );
    const output: string[] = [];
    const told: string[] = [];
    readLines(child.stdout, (line) => output.push(line));
    readLines(child.stderr, (line) => told.push(line));
    // SIGTERM lets it remove its own stack.
    const ask = () => child.kill("SIGTERM");
    signal.addEventListener("abort", ask, { once: true });
    const limit = setTimeout(ask, limitMs);
    const [code] = await once(child, "close");
    clearTimeout(limit);
    signal.removeEventListener("abort", ask);
    if (code !== 0) {
      const failures = told.filter((line) => line.includes("DID NOT HOLD"));
      throw new Error(
        `the demo ended with ${code}: ${(failures.length > 0 ? failures : told.slice(-3)).join(" | ")}`,
      );
    }
    return demoResult.parse(JSON.parse(output.at(-1) ?? ""));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
