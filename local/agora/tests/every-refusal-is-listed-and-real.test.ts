import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { REFUSALS, type RefusalId, type RefusalList, Refusals } from "../refusals/list.ts";
import { pages, type RefusalRule } from "../refusals/refusal.ts";
import { unconfirmedRules } from "../unconfirmed.ts";
import { acquireProbes, gatewayProbes } from "./refusals/gateway-probes.ts";
import type { LateProbe, Probe, ProbeStage } from "./refusals/probe.ts";
import { recorderProbes, tokenSeconds } from "./refusals/recorder-probes.ts";
import { startProbes, startRequestProbes, storageProbes } from "./refusals/start-probes.ts";
import { onDemandProbes, taskProbes } from "./refusals/task-probes.ts";
import { clientOf, openReceiver, openSink, startEngine, until, webhookSecret } from "./stage.ts";

/*
 * Each rule of the list is a test here, by its id: what it refuses is done once to the service as it is, which gives exactly
 * the rule's answer, and once to a service whose list is without this one rule, which does not. A rule without a probe, a
 * probe without a rule and a refusal beside the list all fail.
 */

let taking: Awaited<ReturnType<typeof openSink>>;
let refusing: Awaited<ReturnType<typeof openSink>>;
let receiver: Awaited<ReturnType<typeof openReceiver>>;

beforeAll(async () => {
  [taking, refusing, receiver] = await Promise.all([openSink(), openSink(), openReceiver()]);
  refusing.answer.status = 403;
});
afterAll(async () => {
  await Promise.all([taking.close(), refusing.close(), receiver.close()]);
});

const answered: Record<string, Probe | Probe[]> = {
  ...gatewayProbes,
  ...acquireProbes,
  ...startProbes,
  ...startRequestProbes,
  ...storageProbes,
  ...taskProbes(() => taking),
  ...onDemandProbes,
};
const late: Record<string, LateProbe> = recorderProbes({ taking: () => taking, refusing: () => refusing });
const rules: Record<string, RefusalRule> = REFUSALS;

function without(id: string): RefusalList {
  return Object.fromEntries(Object.entries(rules).filter(([name]) => name !== id));
}

async function onStage<Result>(
  settings: Probe["settings"],
  list: RefusalList,
  act: (stage: ProbeStage) => Promise<Result>,
): Promise<Result> {
  const engine = await startEngine(
    {
      publishers: "none",
      joinMs: 60_000,
      webhook: { url: receiver.url, secret: webhookSecret },
      ...settings,
    },
    list,
  );
  try {
    return await act({ engine, client: clientOf(engine.address), receiver });
  } finally {
    await engine.stop();
  }
}

/** The answer that the list holds for a rule, with the settings of a probe. */
function answerOf(id: string, settings: Probe["settings"]) {
  const variant = unconfirmedRules.parse(settings?.unconfirmed ?? {});
  const answer = new Refusals(variant).when(id as RefusalId, () => true);
  return answer && { status: answer.status, body: answer.body };
}

for (const [id, probes] of Object.entries(answered)) {
  test(id, async () => {
    expect(Object.keys(rules)).toContain(id);
    for (const probe of [probes].flat()) {
      const { settings, otherwise, name = "" } = probe;
      const refused = await onStage(settings, REFUSALS, probe.ask);
      expect(refused, name).toEqual(answerOf(id, settings));
      const admitted = await onStage(settings, without(id), probe.ask);
      if (otherwise === undefined) expect(admitted, name).toMatchObject({ status: 200 });
      else expect(admitted, name).toEqual(answerOf(otherwise, settings));
    }
  });
}

for (const [id, probe] of Object.entries(late)) {
  test.concurrent(id, async ({ expect }) => {
    expect(Object.keys(rules)).toContain(id);
    const rule = rules[id];
    if (!rule || typeof rule.answer === "function" || !("event" in rule.answer))
      throw new Error(`no event: ${id}`);
    const { event } = rule.answer;
    await onStage(probe.settings, REFUSALS, async (stage) => {
      const task = await probe.begin(stage);
      const ofTask = (type: number) => receiver.of(type).filter(({ sid }) => sid === task.sid);
      await stage.client.isGone(task);
      await until("its exit is told", () => ofTask(11).length > 0);
      if (event === null) {
        expect([...ofTask(1), ...ofTask(40)]).toEqual([]);
        return;
      }
      const told = await until("event 1", () => ofTask(1)[0]);
      expect(told.payload.details).toMatchObject({ ...event, errorLevel: 5 });
    });
    // What keeps this stand-in on this machine is not taken away, not even for a moment.
    if (rule.isFence) return;
    await onStage(probe.settings, without(id), async (stage) => {
      const begunAt = Date.now();
      const task = await probe.begin(stage);
      await stage.client.reaches(task, probe.livesUntil);
      if (id === "recorder.token_end") {
        await until("the token's end", () => Date.now() > begunAt + tokenSeconds * 1000 + 500);
      }
      expect((await stage.client.query(task)).body.serverResponse).toMatchObject({
        status: probe.livesUntil,
      });
      expect(receiver.of(1).filter(({ sid }) => sid === task.sid)).toEqual([]);
    });
  });
}

test("every rule has a probe, and says where it comes from", () => {
  expect([...Object.keys(answered), ...Object.keys(late)].sort()).toEqual(Object.keys(rules).sort());
  const known: string[] = Object.values(pages);
  for (const [id, { what, source }] of Object.entries(rules)) {
    expect(what, id).toMatch(/^[a-zA-Z].{10,}[^.]$/);
    expect(known, id).toContain(source.page);
    expect(source.certainty === "stand-in", id).toBe(source.page === pages.none);
  }
});

test("nothing is refused beside the list: no other file holds an answer but 200", () => {
  const folder = join(import.meta.dirname, "..");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !/^(tests|refusals|media)\//.test(file),
  );
  expect(files.length).toBeGreaterThan(20);
  for (const file of files) {
    const source = readFileSync(join(folder, file), "utf8");
    const answers = source.match(/\bstatus: [1-5]\d\d\b/g) ?? [];
    expect(
      answers.filter((answer) => answer !== "status: 200"),
      file,
    ).toEqual([]);
    expect(source.match(/refusedAnswer\(/g)?.length ?? 0, file).toBe(file === "answers.ts" ? 1 : 0);
  }
});
