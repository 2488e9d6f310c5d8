import { parseArgs } from "node:util";
import { reasonOf } from "../local/stack/part.ts";
import { demo } from "./demo-runs.ts";
import { engine } from "./engine/suite.ts";
import { events } from "./events.ts";
import { summarize } from "./figures.ts";
import { latency } from "./latency.ts";
import { describeMachine, lookAtLoad } from "./machine.ts";
import { type Report, type SuiteResult, textOf } from "./report.ts";
import { startup } from "./startup.ts";
import type { Suite, SuiteOrder } from "./suite.ts";

/** `isLong`: only on request. */
const suites: Record<string, { suite: Suite; about: string; isLong?: boolean }> = {
  startup: { suite: startup, about: "npm start on a new folder and again; memory of the idle stack" },
  latency: {
    suite: latency,
    about: "update to the engine, stop to the engine, commit to the subscriber",
  },
  events: { suite: events, about: "what receiving an event of the engine costs beside the database" },
  demo: { suite: demo, about: "what npm run demo costs beside the seconds it records" },
  engine: {
    suite: engine,
    about: "a hundred calls that start at once, at a ceiling of 200 and of 50 (only when named)",
    isLong: true,
  },
};
const names = Object.keys(suites);
/** Prints a report of its own, beside its peer, and takes a server of its own: only on request. */
const database = {
  name: "db",
  about: "the queue beside its peer, triggers, feeds of 1,000,000 recordings (alone)",
};

/** Likewise: it is about single functions, not about the stack. */
const storage = {
  name: "storage",
  about: "playlists signed, files copied, beside their peers (alone)",
};
/** Likewise: it needs the machine for itself. */
const media = { name: "media", about: "calls of two and four at the media server, recorded and not (alone)" };
const alone = [database, storage, media];

const help = `Measures what this project promises about speed and memory, on stacks of its own, and leaves nothing running.

  npm run bench -- [NAME ...] [options]

${names.map((name) => `  ${name.padEnd(16)}${suites[name]?.about}`).join("\n")}
${alone.map(({ name, about }) => `  ${name.padEnd(16)}${about}`).join("\n")}

  --starts N      starts on a new folder, each followed by one on the same folder (default 3)
  --recordings N  recordings one after the other (default 14)
  --pushes N      committed changes by each way (default 100)
  --json          print one object as the last line
  --help          this text

Without a name: all but engine and those that are measured alone, in about three and a half minutes on a quiet machine. A missed target is a result: the exit code
is 1 only where something could not be measured.`;

interface Options extends Pick<SuiteOrder, "starts" | "recordings" | "pushes"> {
  names: string[];
  json: boolean;
}

const isAlone = (wanted: string) => alone.some(({ name }) => name === wanted);

/** The options, or the text to print instead. */
function readOptions(): Options | { alone: string } | { text: string; code: number } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        starts: { type: "string", default: "3" },
        recordings: { type: "string", default: "14" },
        pushes: { type: "string", default: "100" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return { text: help, code: 0 };
    const [only] = positionals;
    if (positionals.length === 1 && only !== undefined && isAlone(only)) return { alone: only };
    const unknown = positionals.find((name) => !names.includes(name));
    if (unknown !== undefined) {
      const text = isAlone(unknown)
        ? `${unknown} is measured alone: npm run bench -- ${unknown}`
        : `there is no benchmark "${unknown}"; there are ${[...names, ...alone.map(({ name }) => name)].join(", ")}`;
      return { text, code: 1 };
    }
    const counts = { starts: values.starts, recordings: values.recordings, pushes: values.pushes };
    for (const [name, value] of Object.entries(counts)) {
      if (!/^[1-9]\d{0,3}$/.test(value)) {
        return { text: `--${name} must be a whole number from 1 to 9999`, code: 1 };
      }
    }
    return {
      names: names.filter((name) =>
        positionals.length === 0 ? suites[name]?.isLong !== true : positionals.includes(name),
      ),
      starts: Number(values.starts),
      recordings: Number(values.recordings),
      pushes: Number(values.pushes),
      json: values.json,
    };
  } catch (error) {
    return { text: `${reasonOf(error)}\n\n${help}`, code: 1 };
  }
}

async function measure(name: string, order: SuiteOrder): Promise<SuiteResult> {
  const found = suites[name];
  if (found === undefined) throw new Error(`there is no benchmark ${name}`);
  const loadBefore = await lookAtLoad();
  try {
    order.signal.throwIfAborted();
    return { name, loadBefore, figures: (await found.suite(order)).map(summarize) };
  } catch (error) {
    // Whatever an interrupted wait throws, this is why.
    return {
      name,
      loadBefore,
      figures: [],
      failure: reasonOf(order.signal.aborted ? order.signal.reason : error),
    };
  }
}

async function main(): Promise<number> {
  const options = readOptions();
  if ("alone" in options) {
    if (options.alone === database.name) await (await import("./database/bench.ts")).benchDatabase();
    else if (options.alone === media.name) await (await import("./media/bench.ts")).benchMedia();
    else await (await import("./storage/bench.ts")).benchStorage();
    return 0;
  }
  if ("text" in options) {
    console.log(options.text);
    return options.code;
  }
  // Progress goes to the other stream: what is printed here is the report.
  const say = (line: string) => console.error(line);
  const interruption = new AbortController();
  process.once("SIGINT", () => interruption.abort(new Error("interrupted")));
  process.once("SIGTERM", () => interruption.abort(new Error("ended")));

  const machine = await describeMachine();
  const results: SuiteResult[] = [];
  for (const name of options.names) {
    results.push(await measure(name, { ...options, signal: interruption.signal, say }));
  }
  const report: Report = {
    measuredAt: new Date().toISOString(),
    machine,
    loadAfter: await lookAtLoad(),
    suites: results,
  };
  if (options.json) {
    say(textOf(report));
    console.log(JSON.stringify(report));
  } else {
    console.log(textOf(report));
  }
  return results.some(({ failure }) => failure !== undefined) ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(reasonOf(error));
  process.exitCode = 1;
}
// A socket that a client forgot to close must not keep a finished report alive.
setTimeout(() => process.exit(), 2_000).unref();
