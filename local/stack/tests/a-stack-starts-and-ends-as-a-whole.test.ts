import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PartPlan, StackPlan } from "../plan.ts";
import { planStack } from "../plan.ts";
import { isAlive } from "../process-groups.ts";
import { type RunPlanOptions, runPlan } from "../run-plan.ts";
import { PlainFailure } from "../sentence.ts";
import { usualPatience } from "../supervisor.ts";
import { fakePart, untilGone } from "./observed-part.ts";
import { planInput } from "./test-input.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stack-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A real plan whose parts are all fakes, with settings by name. */
function fakePlan(settings: Record<string, Record<string, unknown>> = {}): StackPlan {
  const plan = planStack(planInput({ projectDir: folder, dataDir: folder }));
  const kept = plan.parts.filter((part) => ["postgres", "b2", "functions", "gateway"].includes(part.name));
  return {
    ...plan,
    parts: kept.map((part): PartPlan => ({ ...part, entry: fakePart, settings: settings[part.name] ?? {} })),
  };
}

function observe() {
  const events: string[] = [];
  const pids = new Set<number>();
  const options: RunPlanOptions = {
    logsDir: join(folder, "logs"),
    output: {
      part: (name, line) => void events.push(`${name}: ${line}`),
      notice: (sentence) => void events.push(sentence),
    },
    prepareDatabase: async (log) => log("prepared", { migrations: 3 }),
    onPid: (_name, pid) => {
      if (pid !== undefined) pids.add(pid);
    },
    patience: { ...usualPatience, firstDelayMs: 20, failuresInARow: 2 },
  };
  return { events, pids, options };
}

test("what needs the database starts when it is prepared, and each step's time is kept", async () => {
  const { events, options } = observe();
  const running = await runPlan(fakePlan(), options);
  try {
    const prepared = events.indexOf("postgres: prepared migrations=3");
    expect(prepared).toBeGreaterThan(events.indexOf("postgres: serving"));
    expect(events.indexOf("gateway: serving")).toBeGreaterThan(prepared);
    expect(running.timings.map(({ step }) => step).sort()).toEqual([
      "b2",
      "functions",
      "gateway",
      "migrations",
      "postgres",
    ]);
    expect(Object.keys(running.pids()).sort()).toEqual(["b2", "functions", "gateway", "postgres"]);
  } finally {
    await running.stop();
  }
});

test("the end goes backwards, Postgres last, and leaves no process", async () => {
  const { events, pids, options } = observe();
  const polite = { sayGoodbye: true };
  const plan = fakePlan({ postgres: polite, b2: polite, functions: polite, gateway: polite });
  const running = await runPlan(plan, options);
  await running.stop();
  const goodbyes = events.filter((event) => event.includes("goodbye")).map((event) => event.split(":")[0]);
  expect(goodbyes).toEqual(["gateway", "functions", "b2", "postgres"]);
  expect([...pids].filter((pid) => isAlive(pid))).toEqual([]);
});

test("a part that cannot start ends what runs already, and its sentence is the one that is told", async () => {
  const { pids, options } = observe();
  const failing = runPlan(fakePlan({ gateway: { failWith: "no bricks left" } }), options);
  await expect(failing).rejects.toEqual(new PlainFailure("gateway could not start: no bricks left."));
  expect(pids.size).toBe(4);
  expect([...pids].filter((pid) => isAlive(pid))).toEqual([]);
});

test("a database that cannot be prepared ends the start", async () => {
  const { pids, options } = observe();
  const prepareDatabase = () => Promise.reject(new PlainFailure("a migration is broken."));
  await expect(runPlan(fakePlan(), { ...options, prepareDatabase })).rejects.toThrow(
    "a migration is broken.",
  );
  expect([...pids].filter((pid) => isAlive(pid))).toEqual([]);
});

test("an interrupted start ends what runs already", async () => {
  const { events, pids, options } = observe();
  const interrupt = new AbortController();
  const start = runPlan(fakePlan({ gateway: { hang: true } }), { ...options, signal: interrupt.signal });
  const failure = start.catch((error: unknown) => error);
  await vi.waitFor(() => expect(events).toContain("functions: serving"), { timeout: 30_000 });
  interrupt.abort();
  expect(await failure).toEqual(new PlainFailure("the start was interrupted."));
  expect([...pids].filter((pid) => isAlive(pid))).toEqual([]);
});

test("every part's lines are in a log of its own, and the logs of the last runs are kept", async () => {
  for (const _run of [1, 2]) {
    const { options } = observe();
    const running = await runPlan(fakePlan(), options);
    await running.stop();
  }
  const logs = join(folder, "logs");
  expect(await readFile(join(logs, "functions.log"), "utf8")).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z serving\n$/);
  expect((await readdir(logs)).filter((name) => name.startsWith("b2"))).toEqual(["b2.log", "b2.log.1"]);
});

test("kill ends all parts at once", async () => {
  const { pids, options } = observe();
  const running = await runPlan(fakePlan(), options);
  running.kill();
  for (const pid of pids) await untilGone(pid);
  await running.stop();
});
