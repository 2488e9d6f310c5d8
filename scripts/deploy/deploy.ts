import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Command,
  databasePasswordOf,
  functionSecrets,
  planDeploy,
  SECRETS_FILE,
  type Step,
  type StepName,
} from "./plan.ts";
import { type Ground, keyOf, noteDone, readState } from "./state.ts";

export interface DeployDeps {
  /** Runs the Supabase CLI with these variables beside its own; gives its exit code. */
  cli(args: readonly string[], variables: Readonly<Record<string, string>>): Promise<number>;
  /**
   * Lets the doctor look: at the settings alone, at Vault (and set it), or at everything. Gives whether the deploy may go
   * on, having said why not.
   */
  doctor(what: "settings" | "vault" | "everything"): Promise<boolean>;
  say(line: string): void;
  now(): Date;
}

export interface DeployOptions extends Ground {
  functions: readonly string[];
  stateFile: string;
  isDryRun: boolean;
  /** Begins here, whatever is noted; what comes before it counts as done. */
  from?: StepName | undefined;
}

/** `failed`: the step at which it ended; undefined where all was done. */
export interface Deployed {
  done: StepName[];
  skipped: StepName[];
  failed?: StepName;
}

/**
 * Runs the steps in their order and ends at the first that fails. What was done for the same project, commit and settings
 * is not done again, so the same command goes on where an earlier one ended. Every step may be repeated.
 */
export async function deploy(options: DeployOptions, deps: DeployDeps): Promise<Deployed> {
  const steps = planDeploy(options.projectRef, options.functions);
  const from = steps.findIndex(({ name }) => name === options.from);
  const state = await readState(options.stateFile);
  const outcome: Deployed = { done: [], skipped: [] };
  for (const [index, step] of steps.entries()) {
    const key = keyOf(step, options);
    const isDone = key !== undefined && state.done[step.name]?.key === key;
    const isSkipped = from >= 0 ? index < from : isDone;
    deps.say(`${index + 1}/${steps.length} ${step.name}: ${step.title}${isSkipped ? " (done already)" : ""}`);
    if (options.isDryRun) {
      for (const line of linesOf(step, options)) deps.say(`    ${line}`);
      continue;
    }
    if (isSkipped) {
      outcome.skipped.push(step.name);
      continue;
    }
    if (!(await run(step, options, deps))) {
      deps.say(
        `${step.name} failed; nothing after it was done. Mend it and run the same command: it goes on here.`,
      );
      return { ...outcome, failed: step.name };
    }
    outcome.done.push(step.name);
    if (key !== undefined) await noteDone(options.stateFile, step.name, key, deps.now());
  }
  return outcome;
}

async function run(step: Step, options: DeployOptions, deps: DeployDeps): Promise<boolean> {
  if (step.does.kind === "doctor") return await deps.doctor(step.does.what);
  for (const command of step.does.commands) {
    const isGood = await withSecretsFile(command, options.settings, async (args) => {
      return (await deps.cli(args, variablesOf(command, options))) === 0;
    });
    if (!isGood) return false;
  }
  return true;
}

/** Values for the names of a command: settings, and what follows from them. */
function variablesOf(command: Command, { settings }: DeployOptions): Record<string, string> {
  const derived: Record<string, string | undefined> = {
    ...settings,
    FUNCTIONS_URL: `${(settings.SUPABASE_URL ?? "").replace(/\/+$/, "")}/functions/v1`,
    PORTAL_SIGN_IN_URL: `${(settings.PORTAL_URL ?? "").replace(/\/+$/, "")}/sign-in`,
    // Vault gets the one that signs; the functions may know two while it is replaced.
    WAKE_UP_SECRET: settings.WAKE_UP_SECRET?.split(",")[0]?.trim(),
    SUPABASE_DB_PASSWORD: settings.SUPABASE_DB_PASSWORD ?? databasePasswordOf(settings.SUPABASE_DB_URL),
  };
  return Object.fromEntries(
    command.variables.flatMap((name) => {
      const value = derived[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Puts the functions' settings into a file that only its owner can read, while the command runs. */
async function withSecretsFile<T>(
  { args }: Command,
  settings: DeployOptions["settings"],
  act: (args: string[]) => Promise<T>,
): Promise<T> {
  if (!args.includes(SECRETS_FILE)) return await act(args);
  const folder = await mkdtemp(join(tmpdir(), "deploy-"));
  try {
    const file = join(folder, "functions.env");
    const lines = Object.entries(functionSecrets(settings)).map(
      ([name, value]) => `${name}=${quoted(name, value)}\n`,
    );
    await writeFile(file, lines.join(""), { mode: 0o600 });
    return await act(args.map((arg) => (arg === SECRETS_FILE ? file : arg)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** In single quotes nothing is expanded. Throws for what no file of settings can hold without being read otherwise. */
function quoted(name: string, value: string): string {
  if (!/['\n]/.test(value)) return `'${value}'`;
  if (!/["\\$`\n]/.test(value)) return `"${value}"`;
  throw new Error(`${name} holds a line break or quotes of both kinds: it cannot be handed over in a file.`);
}

/** What a step would run, without a value of a setting. */
function linesOf(step: Step, { settings }: DeployOptions): string[] {
  if (step.does.kind === "doctor") {
    const words = {
      settings: "npm run doctor -- --only environment",
      vault: "npm run doctor -- --only database.vault --fix",
      everything: "npm run doctor",
    };
    return [words[step.does.what]];
  }
  return step.does.commands.flatMap(({ args, variables }) => [
    `supabase ${args.map((arg) => (arg === SECRETS_FILE ? "<file>" : arg)).join(" ")}`,
    `  with ${variables.join(", ")} in its environment`,
    ...(args.includes(SECRETS_FILE)
      ? [`  <file> holds ${Object.keys(functionSecrets(settings)).join(", ") || "nothing yet"}`]
      : []),
  ]);
}
