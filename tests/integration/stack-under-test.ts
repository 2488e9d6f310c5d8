import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { type Stack, type StackOptions, startStack } from "../../local/stack/stack.ts";
import { createEngineControl, type EngineControl } from "./engine-control.ts";
import { createPeople, type People } from "./people.ts";

/** One running stack and what a test reaches it by. */
export interface StackUnderTest {
  stack: Stack;
  /** As the superuser: looks at everything, and sets what no person may set. */
  sql: postgres.Sql;
  engine: EngineControl;
  people: People;
}

/**
 * Gives the tests of one file a stack of their own: started before the first, gone after the last. Faults, killed
 * processes and snapshots of the whole database concern everybody on a stack, so files do not share one. Where a test
 * failed, the end of every part's log is printed, since it is removed with the rest. `variables` are what a user's own
 * `.env` would say.
 */
export function useStack(
  options: Pick<StackOptions, "partSettings" | "staging" | "output" | "portal"> & {
    variables?: Record<string, string>;
  } = {},
): StackUnderTest {
  let dataDir: string | undefined;
  let running: StackUnderTest | undefined;
  let hasFailed = false;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "integration-"));
    const { variables = {}, ...ofTheStack } = options;
    const envFile = join(dataDir, "user.env");
    const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(envFile, lines.join(""));
    const stack = await startStack({ dataDir, ports: "free", envFile, ...ofTheStack });
    const sql = postgres(stack.databaseUrls.admin, { max: 2, onnotice: () => undefined });
    running = {
      stack,
      sql,
      engine: createEngineControl(stack.addresses.agora ?? "", stack.controlToken),
      people: createPeople(stack),
    };
  }, 90_000);

  beforeEach(({ onTestFailed }) => {
    onTestFailed(() => {
      hasFailed = true;
    });
  });

  afterAll(async () => {
    await running?.people.leave();
    await running?.sql.end({ timeout: 2 });
    await running?.stack.stop();
    if (dataDir === undefined) return;
    if (hasFailed) await printLogs(join(dataDir, "logs"));
    await rm(dataDir, { recursive: true, force: true });
  }, 60_000);

  const now = (): StackUnderTest => {
    if (running === undefined) throw new Error("the stack is there from beforeAll to afterAll only");
    return running;
  };
  return {
    get stack() {
      return now().stack;
    },
    get sql() {
      return now().sql;
    },
    get engine() {
      return now().engine;
    },
    get people() {
      return now().people;
    },
  };
}

async function printLogs(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).sort()) {
    const lines = (await readFile(join(folder, name), "utf8")).trimEnd().split("\n");
    console.error(`--- ${name}, its last lines\n${lines.slice(-30).join("\n")}`);
  }
}
