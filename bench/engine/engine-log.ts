import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const line = z.object({
  step: z.literal("engine"),
  call: z.string(),
  ms: z.number(),
  http: z.number().optional(),
});
/** One request to the engine as run-control logged it: how long it took, and how it was answered. */
export type EngineRequest = z.output<typeof line>;

/** Every request that run-control has sent to the engine, in the order of their answers. */
export async function readEngineLog(dataDir: string): Promise<EngineRequest[]> {
  const text = await readFile(join(dataDir, "logs", "functions.log"), "utf8");
  return text.split("\n").flatMap((row) => {
    const json = /run-control: (\{.*\})$/.exec(row)?.[1];
    return json === undefined ? [] : (line.safeParse(JSON.parse(json)).data ?? []);
  });
}

/** How many of them the engine answered with this HTTP status. */
export const answeredWith = (requests: readonly EngineRequest[], status: number): number =>
  requests.filter(({ http }) => http === status).length;
