import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Counts, countJunit, countOfCheck, countVitest, withExitCode } from "./counts.ts";

/** One runner that `npm test` starts. */
export interface Step {
  name: string;
  /** The program (of node_modules/.bin) and its arguments. */
  command: [program: string, ...args: string[]];
  /** Runs after all others, with nothing beside it. */
  isAlone?: boolean;
  /** Reads the runner's own report; a missing one counts as a failure. */
  count(exitCode: number): Promise<Counts>;
}

/**
 * Everything there is to run in a project, the longest first. Reports are written into `reportsDir`; what a step
 * writes beside that goes to the folder for temporary files.
 */
export function findSteps(projectDir: string, reportsDir: string): Step[] {
  const functionsDir = join(projectDir, "supabase", "functions");
  return [
    vitest("vitest", "ordinary", join(reportsDir, "vitest.json")),
    check("lint", ["biome", "check", "."]),
    check("types", ["tsc", "-p", "tsconfig.json"]),
    ...(existsSync(join(projectDir, "web", "tsconfig.json"))
      ? [check("types of the portal", ["tsc", "-p", join("web", "tsconfig.json")])]
      : []),
    check("types of functions", [...deno("check", projectDir), ...entriesIn(functionsDir)]),
    ...(hasTests(join(functionsDir, "tests"))
      ? [denoTest(projectDir, join(functionsDir, "tests"), join(reportsDir, "deno.xml"))]
      : []),
    { ...vitest("calls", "calls", join(reportsDir, "calls.json")), isAlone: true },
  ];
}

function check(name: string, command: Step["command"]): Step {
  return { name, command, count: async (exitCode) => countOfCheck(exitCode) };
}

function vitest(name: string, project: string, report: string): Step {
  const command: Step["command"] = [
    "vitest",
    "run",
    `--project=${project}`,
    "--passWithNoTests",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
  ];
  return { name, command, count: (exitCode) => countReport(report, countVitest, exitCode) };
}

/**
 * Packages come from node_modules only: a test must not fetch anything. The project's deno.json and not a function's own,
 * which knows its imports but nothing of the types around it.
 */
function deno(command: "check" | "test", projectDir: string): Step["command"] {
  const config = join(projectDir, "deno.json");
  return ["deno", command, "--node-modules-dir=manual", "--cached-only", "--no-lock", "--config", config];
}

function denoTest(projectDir: string, folder: string, report: string): Step {
  const command: Step["command"] = [
    ...deno("test", projectDir),
    "--no-prompt",
    "--allow-read",
    "--allow-env",
    "--allow-net=127.0.0.1,localhost",
    `--junit-path=${report}`,
    folder,
  ];
  return { name: "functions", command, count: (exitCode) => countReport(report, countJunit, exitCode) };
}

async function countReport(file: string, read: (text: string) => Counts, exitCode: number): Promise<Counts> {
  try {
    return withExitCode(read(await readFile(file, "utf8")), exitCode);
  } catch {
    // No report, or half of one: the runner died. Its output is shown, since this counts as a failure.
    return countOfCheck(1);
  }
}

/** The entry files of what is deployed: folders with an index.ts. */
function entriesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => !name.startsWith("_"))
    .map((name) => join(folder, name, "index.ts"))
    .filter((file) => existsSync(file))
    .sort();
}

function hasTests(folder: string): boolean {
  if (!existsSync(folder)) return false;
  return readdirSync(folder, { recursive: true }).some((file) => /[._]test\.ts$/.test(String(file)));
}
