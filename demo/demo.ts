import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromiumMissing, findChromium } from "../local/browser/chromium.ts";
import { reasonOf } from "../local/stack/part.ts";
import {
  findRunningStack,
  removeStackData,
  type Stack,
  startStack,
  usualDataDir,
} from "../local/stack/stack.ts";
import { recordBrowserCall } from "./browser-call.ts";
import { type ClockReport, linesOf } from "./clock-report.ts";
import { demoMentorships } from "./people.ts";
import { createProgress } from "./progress.ts";
import { type CallResult, recordOneCall } from "./record-one-call.ts";
import { timelineOf } from "./timeline.ts";

const help = `Records calls from wish to playback and shows each stage with its milliseconds.

  npm run demo -- [options]

  --seconds N   how long each call is recorded (default 6; with --browser 10)
  --calls N     how many calls at once (default 1)
  --browser     one call between two pages of a headless Chromium, played on a third one (CHROMIUM_PATH
                names the browser): says how far recorded clocks are from the wall's
  --data DIR    use the stack that runs on this folder (default .local)
  --json        print one object as the last line
  --help        this text

Uses the running stack, or starts one of its own in a temporary folder and removes it. Exit code 0 only if everything held.`;

interface Options {
  seconds: number;
  browser: boolean;
  calls: number;
  dataDir: string;
  json: boolean;
}

/** The options, or the text to print instead of a demo. */
function readOptions(): Options | { text: string; code: number } {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: "string" },
        browser: { type: "boolean", default: false },
        calls: { type: "string", default: "1" },
        data: { type: "string", default: usualDataDir },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) return { text: help, code: 0 };
    const seconds = Number(values.seconds ?? (values.browser ? 10 : 6));
    const calls = Number(values.calls);
    if (!(seconds >= 1 && seconds <= 3600))
      return { text: "--seconds must be a number from 1 to 3600", code: 1 };
    if (!(Number.isInteger(calls) && calls >= 1 && calls <= 50)) {
      return { text: "--calls must be a whole number from 1 to 50", code: 1 };
    }
    if (values.browser && calls !== 1) return { text: "--browser holds one call", code: 1 };
    return { seconds, calls, browser: values.browser, dataDir: values.data, json: values.json };
  } catch (error) {
    return { text: `${reasonOf(error)}\n\n${help}`, code: 1 };
  }
}

interface Backend {
  url: string;
  publishableKey: string;
  secretKey: string;
  end(): Promise<void>;
}

/** The stack that runs already, or one of our own that leaves nothing behind. */
async function findOrStartStack(
  dataDir: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Backend> {
  const running = await findRunningStack(dataDir);
  if (running !== undefined) {
    say(`using the stack at ${running.url}`);
    return { ...running, end: async () => undefined };
  }
  say("no stack is running: starting one in a temporary folder");
  const folder = await mkdtemp(join(tmpdir(), "call-recording-demo-"));
  const removeFolder = async () => {
    await removeStackData(folder);
    await rm(folder, { recursive: true, force: true });
  };
  let stack: Stack;
  try {
    stack = await startStack({ dataDir: folder, ports: "free", signal });
  } catch (error) {
    await removeFolder();
    throw error;
  }
  say(`ready at ${stack.url} after ${(stack.readyAfterMs / 1000).toFixed(1)} s`);
  return {
    ...stack,
    async end() {
      await stack.stop();
      await removeFolder();
    },
  };
}

async function main(): Promise<number> {
  const options = readOptions();
  if ("text" in options) {
    console.log(options.text);
    return options.code;
  }
  if (options.browser && findChromium() === undefined) {
    console.error(chromiumMissing);
    return 1;
  }
  const startedAt = performance.now();
  // With --json the last line of the output is the result; everything for people goes to the other stream.
  const say = (line: string) => (options.json ? console.error(line) : console.log(line));
  const interruption = new AbortController();
  process.once("SIGINT", () => interruption.abort(new Error("interrupted")));
  process.once("SIGTERM", () => interruption.abort(new Error("ended")));

  const backend = await findOrStartStack(options.dataDir, say, interruption.signal);
  try {
    const stackMs = Math.round(performance.now() - startedAt);
    const progress = createProgress(say);
    const { seconds } = options;
    const { signal } = interruption;
    const results: (CallResult & { clocks?: ClockReport | undefined })[] = options.browser
      ? [await recordBrowserCall(backend, { seconds, signal }, (status) => progress.show(0, status))]
      : await Promise.all(
          (await demoMentorships(backend, options.calls)).map((mentorshipId, index) =>
            recordOneCall({ ...backend, mentorshipId, seconds, signal }, (status) =>
              progress.show(index, status),
            ),
          ),
        );
    progress.end();
    const totalMs = Math.round(performance.now() - startedAt);
    for (const result of results) {
      say(timelineOf(result));
      if (result.clocks) say(linesOf(result.clocks).join("\n"));
    }
    const held = results.every((result) => result.problems.length === 0);
    const overheadMs = totalMs - Math.round(Math.max(...results.map((result) => result.recordedMs ?? 0)));
    say(
      `${held ? "Everything held" : "Something did not hold"}: ${results.length} ${results.length === 1 ? "call" : "calls"} in ${(totalMs / 1000).toFixed(1)} s, ${(overheadMs / 1000).toFixed(1)} s of it not recording (${(stackMs / 1000).toFixed(1)} s for the stack).`,
    );
    if (options.json) console.log(JSON.stringify(jsonOf(results, { held, totalMs, overheadMs, stackMs })));
    return held ? 0 : 1;
  } finally {
    await backend.end();
  }
}

/** One call is the object itself; several stand in `calls`. */
function jsonOf(results: CallResult[], totals: Record<string, unknown>): Record<string, unknown> {
  const [only] = results;
  return results.length === 1 && only !== undefined ? { ...totals, ...only } : { ...totals, calls: results };
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(reasonOf(error));
  process.exitCode = 1;
}
// A socket that a client forgot to close must not keep a finished demo alive.
setTimeout(() => process.exit(), 2_000).unref();
