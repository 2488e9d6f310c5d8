import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Stack, type StackOptions, startStack } from "../local/stack/stack.ts";
import { type Observation, readObservations } from "./observations.ts";

/** A stack of our own whose parts write down the HTTP requests they get and send. */
export interface ObservedStack extends Stack {
  /** Everything the parts have seen; complete once the stack has stopped. */
  observations(): Promise<Observation[]>;
  /** Stops it if it still runs and removes its folder. */
  remove(): Promise<void>;
}

const observer = pathToFileURL(join(import.meta.dirname, "observe-http.ts")).href;

/** Starts a stack on free ports in a temporary folder. */
export async function startObservedStack(
  signal: AbortSignal,
  partSettings: NonNullable<StackOptions["partSettings"]> = {},
): Promise<ObservedStack> {
  const folder = await mkdtemp(join(tmpdir(), "call-recording-bench-"));
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  const seen = join(folder, "observations");
  const before = { options: process.env.NODE_OPTIONS, observations: process.env.BENCH_OBSERVATIONS };
  let stack: Stack;
  try {
    await mkdir(seen);
    // The parts inherit our environment; functions do not, theirs is made from nothing.
    process.env.NODE_OPTIONS = `${before.options ?? ""} --import=${observer}`.trim();
    process.env.BENCH_OBSERVATIONS = seen;
    stack = await startStack({ dataDir: folder, ports: "free", signal, partSettings });
  } catch (error) {
    await removeFolder();
    throw error;
  } finally {
    restore("NODE_OPTIONS", before.options);
    restore("BENCH_OBSERVATIONS", before.observations);
  }
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= stack.stop();
    return stopped;
  };
  return {
    ...stack,
    stop,
    observations: () => readObservations(seen),
    async remove() {
      await stop();
      await removeFolder();
    },
  };
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
