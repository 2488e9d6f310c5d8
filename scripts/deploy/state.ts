import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import type { Step, StepName } from "./plan.ts";

/** What is done, and for what: a step that was done for another commit or other settings counts as not done. */
const stateSchema = z.object({ done: z.record(z.string(), z.object({ key: z.string(), at: z.string() })) });
type DeployState = z.output<typeof stateSchema>;

/** What a finished step is valid for. */
export interface Ground {
  projectRef: string;
  /** The commit; undefined where files differ from it: then nothing counts as done. */
  commit: string | undefined;
  settings: Readonly<Record<string, string | undefined>>;
}

/** Under which key a step is done; undefined: it has to be done every time. Holds a hash, no setting. */
export function keyOf(step: Step, { projectRef, commit, settings }: Ground): string | undefined {
  if (step.again === "always" || commit === undefined) return undefined;
  if (step.again === "commit") return `${projectRef} ${commit}`;
  const hash = createHash("sha256");
  for (const [name, value] of Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (value !== undefined) hash.update(`${name}=${value}\0`);
  }
  return `${projectRef} ${commit} ${hash.digest("hex")}`;
}

/** What was done before; nothing where there is no file, or one of another version. */
export async function readState(file: string): Promise<DeployState> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return { done: {} };
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return { done: {} };
    throw error;
  }
}

/** Notes a step as done, whole or not at all. */
export async function noteDone(file: string, name: StepName, key: string, at: Date): Promise<void> {
  const state = await readState(file);
  state.done[name] = { key, at: at.toISOString() };
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
