/** The doctor on a running stack, with some of the world broken. */
import { join } from "node:path";
import { type Check, type DoctorDeps, examine, type Finding } from "../../../scripts/doctor/check.ts";
import { everyCheck } from "../../../scripts/doctor/every-check.ts";
import { readProject } from "../../../scripts/doctor/project.ts";
import { createWorld, localSource, type Source } from "../../../scripts/doctor/world.ts";

export const projectDir = join(import.meta.dirname, "../../..");

/** What is otherwise than it should be: settings (undefined: not set), or answers of services that a stack cannot give. */
export interface Broken {
  settings?: Record<string, string | undefined>;
  answer?: (request: { url: URL; method: string; headers: Headers }) => Response | undefined;
  deps?: Partial<DoctorDeps>;
}

/** Settings of the stack as the doctor reads them. */
export async function settingsOf(dataDir: string): Promise<Record<string, string | undefined>> {
  const source = await localSource(dataDir);
  if (source === undefined) throw new Error("the stack does not run");
  return source.variables;
}

/** Examines one check and all that it needs; gives the finding. `fix` sets what can be set. */
export async function visit(
  dataDir: string,
  id: string,
  broken: Broken = {},
  { fix = false } = {},
): Promise<Finding & { fixed?: string }> {
  const source: Source = {
    name: "a test",
    variables: { ...(await settingsOf(dataDir)), ...broken.settings },
  };
  const { deps, end } = createWorld(source, await readProject(projectDir));
  try {
    const answering: typeof fetch = async (input, init) => {
      const request = {
        url: new URL(String(input)),
        method: init?.method ?? "GET",
        headers: new Headers(init?.headers),
      };
      return broken.answer?.(request) ?? (await fetch(input, init));
    };
    const examined = await examine(neededBy(id), { ...deps, fetch: answering, ...broken.deps }, { fix });
    const told = examined.find(({ check }) => check.id === id);
    if (told === undefined) throw new Error(`there is no check ${id}`);
    return { ...told.finding, ...(told.fixed === undefined ? {} : { fixed: told.fixed }) };
  } finally {
    await end();
  }
}

function neededBy(id: string): Check[] {
  const wanted = new Set<string>();
  const want = (name: string) => {
    wanted.add(name);
    for (const needed of everyCheck.find((check) => check.id === name)?.needs ?? []) want(needed);
  };
  want(id);
  return everyCheck.filter((check) => wanted.has(check.id));
}
