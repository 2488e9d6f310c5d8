import { dirname, join, relative } from "node:path";
import { whenNpmIsGone } from "./stack/npm-parent.ts";
import { parseStartOptions, startHelp } from "./stack/options.ts";
import { stackFileOf } from "./stack/running-stack.ts";
import { PlainFailure, type Stack, startStack, usualDataDir, usualEnvFile } from "./stack/stack.ts";
import { memoryText, readyText, terminalOutput } from "./stack/terminal-output.ts";

const projectDir = dirname(import.meta.dirname);
const defaults = { dataDir: usualDataDir, envFile: usualEnvFile, projectDir };

/** npm and the terminal both pass Ctrl-C on: two signals this close together are one key press. */
const samePressMs = 500;

try {
  await main();
} catch (error) {
  if (!(error instanceof PlainFailure)) throw error;
  console.error(error.message);
  process.exit(1);
}

async function main(): Promise<void> {
  const options = parseStartOptions(process.argv.slice(2), process.cwd(), defaults);
  if (options.help) {
    console.log(startHelp(defaults));
    return;
  }
  const interrupt = new AbortController();
  const asked = Promise.withResolvers<void>();
  let askedAt: number | undefined;
  let stack: Stack | undefined;
  const onSignal = () => {
    if (askedAt === undefined) {
      askedAt = Date.now();
      interrupt.abort();
      asked.resolve();
    } else if (Date.now() - askedAt > samePressMs) {
      console.error("ending at once");
      stack?.kill();
      // Parts that are still starting end by themselves when this process is gone.
      process.exit(130);
    }
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, onSignal);
  whenNpmIsGone(onSignal);

  const output = terminalOutput(options);
  try {
    stack = await startStack({
      dataDir: options.dataDir,
      envFile: options.envFile,
      ports: options.ports,
      reset: options.reset,
      portal: true,
      output,
      signal: interrupt.signal,
    });
  } catch (error) {
    if (askedAt === undefined) throw error;
    console.log("ended before it was ready");
    return process.exit(0);
  }

  const shown = (path: string) => {
    const fromHere = relative(process.cwd(), path);
    return fromHere.startsWith("..") ? path : fromHere;
  };
  const seedFile = shown(join(projectDir, "supabase", "seed.sql"));
  const ready = readyText(stack, seedFile, shown(stackFileOf(stack.dataDir)));
  console.log(options.quiet ? ready.split("\n")[0] : ready);
  if (options.memory) setTimeout(() => console.log(memoryText(stack?.memory())), 5_000).unref();

  const failure = await Promise.race([asked.promise, stack.givenUp]);
  if (failure === undefined) console.log("ending …");
  await stack.stop();
  if (failure !== undefined) throw failure;
  console.log("ended; nothing of it is running");
  process.exit(0);
}
