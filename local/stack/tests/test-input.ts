import { generateKeys } from "../keys.ts";
import type { PlanInput } from "../plan.ts";
import { defaultPorts } from "../ports.ts";
import { emptyUserEnvironment } from "../user-environment.ts";

/** A complete input for a plan; tests change what they are about. */
export function planInput(change: Partial<PlanInput> = {}): PlanInput {
  return {
    projectDir: "/project",
    dataDir: "/project/.local",
    keys: generateKeys(),
    ports: defaultPorts,
    user: emptyUserEnvironment,
    exposedSchemas: ["public", "recorder_api"],
    ...change,
  };
}
