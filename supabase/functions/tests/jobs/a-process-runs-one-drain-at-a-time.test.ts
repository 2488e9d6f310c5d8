import assert from "node:assert/strict";
import type { DrainSettings } from "../../_shared/jobs/drain.ts";
import { serveLane } from "../../_shared/jobs/lane.ts";
import type { World } from "../../_shared/jobs/world.ts";
import { signStandardWebhook } from "../../_shared/webhooks/standard-webhooks.ts";
import { virtualClock } from "./virtual-clock.ts";

const SECRET = `whsec_${btoa("the secret of the wake-ups, 32 b")}`;
const SETTINGS: DrainSettings = {
  lane: "control",
  budgetMs: 100_000,
  lingerMs: 1_500,
  patienceMs: 8_000,
  tickMs: 250,
  concurrency: 4,
};

/** A lane's function in a world of its own; `during` is told of every call of the database. */
function functionForTest(
  during: (call: string, wake: () => Promise<Response>) => Promise<void> | void = () => {},
) {
  const clock = virtualClock();
  const calls: string[] = [];
  const work: Promise<unknown>[] = [];
  const lines: string[] = [];
  const environment: Record<string, string> = {
    SUPABASE_URL: "https://project.example",
    SUPABASE_SECRET_KEYS: '{"default": "sb_secret_key"}',
    SUPABASE_PUBLISHABLE_KEYS: '{"default": "sb_publishable_key"}',
    WAKE_UP_SECRET: SECRET,
  };
  let ids = 0;
  const world: World = {
    environment: { get: (name) => environment[name] },
    now: clock.now,
    sleep: clock.sleep,
    random: () => 0.5,
    newId: () => {
      ids += 1;
      return `00000000-0000-4000-8000-00000000000${ids}`;
    },
    waitUntil: (promise) => work.push(promise),
    write: (line) => lines.push(line),
    fetch: async (input) => {
      const call = String(input).slice(String(input).lastIndexOf("/") + 1);
      calls.push(call);
      await during(call, wake);
      return Response.json(call === "leave" ? false : { has_place: true, jobs: [], next_run_in_ms: null });
    },
  };
  const answer = serveLane(SETTINGS, () => ({}), world);
  const wake = () => {
    const body = new TextEncoder().encode('{"lane": "control"}');
    const timestampSeconds = Math.floor(clock.now() / 1000);
    const headers = signStandardWebhook({ id: "wake_1", timestampSeconds, body, secret: SECRET });
    return answer(new Request("https://f.example/", { method: "POST", body, headers: { ...headers } }));
  };
  return { wake, calls, work, lines, environment, clock };
}

Deno.test("a wake-up is answered before the database is, and drains behind the answer", async () => {
  const { wake, calls, work, clock } = functionForTest();
  assert.equal((await wake()).status, 202);
  assert.equal(work.length, 1);
  await Promise.all(work);
  assert.equal(calls.filter((call) => call === "leave").length, 1);
  await clock.settled();
});

Deno.test("wake-ups that find it busy start no second drain", async () => {
  const { wake, calls, work } = functionForTest();
  const answers = await Promise.all([wake(), wake(), wake()]);
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [202, 202, 202],
  );
  await Promise.all(work);
  assert.equal(calls.filter((call) => call === "leave").length, 1);
});

Deno.test("after it has ended, the next wake-up starts another one", async () => {
  const { wake, calls, work } = functionForTest();
  await wake();
  await Promise.all(work);
  await wake();
  await Promise.all(work);
  assert.equal(calls.filter((call) => call === "leave").length, 2);
});

Deno.test("a wake-up that comes while a drain leaves is not lost: another one follows", async () => {
  let leaves = 0;
  const { wake, calls, work } = functionForTest(async (call, wakeAgain) => {
    if (call !== "leave") return;
    leaves += 1;
    if (leaves === 1) assert.equal((await wakeAgain()).status, 202);
  });
  await wake();
  await Promise.all(work);
  assert.equal(leaves, 2);
  assert.equal(calls.at(-1), "leave");
});

Deno.test("a setting that is missing is named in the log, and the function lives on", async () => {
  const { wake, work, lines, environment, calls } = functionForTest();
  environment.SUPABASE_URL = "";
  assert.equal((await wake()).status, 202);
  await Promise.all(work);
  assert.match(lines.join("\n"), /drain\.failed.*SUPABASE_URL is missing/);
  environment.SUPABASE_URL = "https://project.example";
  await wake();
  await Promise.all(work);
  assert.equal(calls.at(-1), "leave");
});
