import { chmod, mkdir, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { readExposedSchemas } from "./exposed-schemas.ts";
import { type Keys, keysFileOf, loadOrCreateKeys } from "./keys.ts";
import { reasonOf } from "./part.ts";
import { planStack, type StackPlan } from "./plan.ts";
import { defaultPorts, holdFreePorts, type Ports, requireFreePorts } from "./ports.ts";
import { memoryOf } from "./process-groups.ts";
import { removeStackData } from "./reset.ts";
import { type RunningPlan, runPlan, type StackOutput } from "./run-plan.ts";
import {
  claimDataFolder,
  describeProcess,
  forgetRunningStack,
  type RunningStack,
  writeRunningStack,
} from "./running-stack.ts";
import { PlainFailure } from "./sentence.ts";
import { emptyUserEnvironment, readUserEnvironment } from "./user-environment.ts";

export { removeStackData } from "./reset.ts";
export type { StackOutput } from "./run-plan.ts";
export { findRunningStack, type RunningStack } from "./running-stack.ts";
export { PlainFailure } from "./sentence.ts";

export interface StackOptions {
  /** The folder with everything the stack keeps; made when missing. */
  dataDir: string;
  /** The ports of the parts, or any free ones. Default: `defaultPorts`. */
  ports?: Partial<Ports> | "free";
  /** The user's own variables, which switch stand-ins off. Absent (tests): stand-ins only. */
  envFile?: string | undefined;
  /** Staged mode: the engine writes into a bucket of its own, from where our functions copy into the usual one. */
  staging?: boolean;
  /** Serve the portal too; what only asks the backend does without. */
  portal?: boolean;
  /** Settings of single parts beside those of the plan, by the part's name (tests, benchmarks: a stand-in's other limits). */
  partSettings?: Record<string, Record<string, unknown>>;
  /** Remove what the folder holds before the start. */
  reset?: boolean;
  /** Default: nobody listens. The parts' own logs are written in any case, to `<dataDir>/logs`. */
  output?: StackOutput;
  /** Ends a start that is under way. */
  signal?: AbortSignal;
}

/** A stack that serves. */
export interface Stack {
  /** The gateway: what supabase-js is given. */
  url: string;
  publishableKey: string;
  secretKey: string;
  /** `admin` is the superuser; `postgres` owns what the migrations make and is none, as on a hosted project. */
  databaseUrls: { admin: string; postgres: string };
  /** By part, without passwords; a real service that replaces a stand-in says so. */
  addresses: Record<string, string>;
  /** The environment of the Edge Functions. */
  env: Record<string, string>;
  /** Opens the switches of the Agora and B2 stand-ins (delays, faults) to tests. */
  controlToken: string;
  dataDir: string;
  /** The present process of each part; a part that is just being restarted is missing. */
  pids(): Record<string, number>;
  /** How long each step of the start took, and all of it, in ms. */
  timings: { step: string; ms: number }[];
  readyAfterMs: number;
  /** Bytes by part, with all of its processes, and of this process; undefined where the system does not tell. */
  memory(): Record<string, number> | undefined;
  /** Ends everything; resolves when no process is left. */
  stop(): Promise<void>;
  /** Ends everything at once. */
  kill(): void;
  /** Resolves with the failure when a part had to be given up; the caller then calls `stop`. */
  givenUp: Promise<PlainFailure>;
}

const projectDir = resolve(import.meta.dirname, "../..");

/** The folder that `npm start` uses unless told otherwise. */
export const usualDataDir = join(projectDir, ".local");
/** The user's own variables. */
export const usualEnvFile = join(projectDir, ".env");

const silent: StackOutput = { part: () => undefined, notice: () => undefined };

/**
 * Starts the whole local stack and resolves when all of it serves.
 *
 * @throws PlainFailure in one sentence when it cannot be started; then nothing of it runs.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  if (options.ports !== "free")
    return await startOn({ ...defaultPorts, ...definedOf(options.ports ?? {}) }, options);
  const held = await holdFreePorts();
  try {
    const stack = await startOn(held.ports, options);
    const stop = async () => {
      await stack.stop();
      await held.release();
    };
    return { ...stack, stop };
  } catch (error) {
    await held.release();
    throw error;
  }
}

async function startOn(ports: Ports, options: StackOptions): Promise<Stack> {
  const since = performance.now();
  const output = options.output ?? silent;
  const dataDir = resolve(options.dataDir);

  const user =
    options.envFile === undefined ? emptyUserEnvironment : await readUserEnvironment(options.envFile);
  const exposedSchemas = await readExposedSchemas(join(projectDir, "supabase", "config.toml"));

  await makeDataFolder(dataDir);
  const claim: RunningStack = {
    supervisor: describeProcess(process.pid),
    isReady: false,
    url: "",
    publishableKey: "",
    secretKey: "",
    databaseUrls: { admin: "", postgres: "" },
    addresses: {},
    env: {},
    parts: {},
  };
  await claimDataFolder(dataDir, claim);

  let running: RunningPlan;
  let plan: StackPlan;
  let keys: Keys;
  let description = claim;
  // One write after the other: parts start side by side, and a later state must not be overtaken by an earlier one.
  let written: Promise<void> = Promise.resolve();
  const describe = (change: Partial<RunningStack>) => {
    description = { ...description, ...change };
    const now = description;
    written = written
      .then(() => writeRunningStack(dataDir, now))
      .catch((error: unknown) => output.notice(`stack.json could not be written: ${reasonOf(error)}`));
  };
  const onPid = (name: string, pid: number | undefined) => {
    const { [name]: _before, ...others } = description.parts;
    describe({ parts: pid === undefined ? others : { ...others, [name]: describeProcess(pid) } });
  };

  try {
    if (options.reset) output.notice(await removeStackData(dataDir));
    keys = await requireKeys(dataDir);
    plan = planStack({
      projectDir,
      dataDir,
      keys,
      ports,
      user,
      exposedSchemas,
      staging: options.staging ?? false,
      portal: options.portal ?? false,
    });
    for (const part of plan.parts) Object.assign(part.settings, options.partSettings?.[part.name]);
    // A database server that outlived a killed stack still holds its port: its own part ends it, or says the same sentence.
    await requireFreePorts(
      ports,
      plan.listening.filter((part) => part !== "postgres"),
    );
    describe({
      url: plan.url,
      publishableKey: keys.publishableKey,
      secretKey: keys.secretKey,
      databaseUrls: { admin: plan.database.adminUrl, postgres: plan.database.postgresUrl },
      addresses: plan.addresses,
      env: { ...plan.env, ...plan.adminEnv },
    });
    const { seedFile, ...database } = plan.database;
    running = await runPlan(plan, {
      logsDir: join(dataDir, "logs"),
      output,
      onPid,
      signal: options.signal,
      prepareDatabase: async (log) => {
        // Only here: everything else in this folder works without a database.
        const { prepareDatabase } = await import("../postgres/prepare.ts");
        try {
          await prepareDatabase({ ...database, ...((await exists(seedFile)) ? { seedFile } : {}), log });
        } catch (error) {
          throw new PlainFailure(`the database could not be prepared: ${reasonOf(error)}`);
        }
      },
    });
    describe({ isReady: true });
    await written;
  } catch (error) {
    await written;
    await forgetRunningStack(dataDir);
    throw error;
  }

  return {
    url: plan.url,
    publishableKey: keys.publishableKey,
    secretKey: keys.secretKey,
    databaseUrls: { admin: plan.database.adminUrl, postgres: plan.database.postgresUrl },
    addresses: plan.addresses,
    env: plan.env,
    controlToken: keys.controlToken,
    dataDir,
    pids: running.pids,
    timings: running.timings,
    readyAfterMs: Math.round(performance.now() - since),
    memory: () => memoryByPart(running.pids()),
    stop: async () => {
      await running.stop();
      await written;
      await forgetRunningStack(dataDir);
    },
    kill: running.kill,
    givenUp: running.givenUp,
  };
}

async function makeDataFolder(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true });
    // Under root the database server runs as another user, who must be able to walk through to its own folder;
    // what is secret in here is closed by itself.
    if (process.getuid?.() === 0) await chmod(dataDir, ((await stat(dataDir)).mode & 0o7777) | 0o011);
    await writeFile(join(dataDir, ".gitignore"), "*\n");
  } catch (error) {
    throw new PlainFailure(`the data folder ${dataDir} cannot be used: ${reasonOf(error)}.`);
  }
}

/** The keys; a database without the keys it was made with is not started. */
async function requireKeys(dataDir: string): Promise<Keys> {
  if (!(await exists(keysFileOf(dataDir))) && (await exists(join(dataDir, "postgres")))) {
    throw new PlainFailure(
      `${keysFileOf(dataDir)} was missing beside a database that was made with its passwords: put the file back, or begin anew with --reset.`,
    );
  }
  return (await loadOrCreateKeys(dataDir)).keys;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

function memoryByPart(pids: Record<string, number>): Record<string, number> | undefined {
  const parts = Object.entries(pids).map(([name, pid]) => [name, memoryOf(pid)] as const);
  const all = memoryOf(process.pid);
  if (all === undefined) return undefined;
  const known = parts.flatMap(([name, bytes]) => (bytes === undefined ? [] : [[name, bytes] as const]));
  const inParts = known.reduce((sum, [, bytes]) => sum + bytes, 0);
  return { ...Object.fromEntries(known), supervisor: Math.max(0, all - inParts) };
}

function definedOf(ports: Partial<Ports>): Partial<Ports> {
  return Object.fromEntries(Object.entries(ports).filter(([, port]) => port !== undefined));
}
