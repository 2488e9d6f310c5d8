import assert from "node:assert/strict";
import { createOverdueWaker, createWakeUpSender } from "../../_shared/jobs/send-wake-up.ts";
import { answerWakeUp } from "../../_shared/jobs/wake-up.ts";
import type { LogFields } from "../../_shared/log.ts";
import { WHOLE } from "../config/environment-for-tests.ts";
import { BEGIN_MS, virtualClock } from "./virtual-clock.ts";

const LANES = [
  { lane: "control", function_name: "run-control" },
  { lane: "storage", function_name: "run-storage" },
];

function worldWith(answer: typeof fetch, settings: Record<string, string> = WHOLE) {
  const logged: (LogFields & { step: string })[] = [];
  const clock = virtualClock();
  return {
    logged,
    clock,
    deps: {
      environment: { get: (name: string) => settings[name] },
      fetch: answer,
      now: clock.now,
      newId: () => "66666666-6666-4666-8666-666666666666",
      log: (step: string, fields: LogFields = {}) => void logged.push({ step, ...fields }),
      after: clock.after,
    },
  };
}

Deno.test("the lane's function takes it for the database's own wake-up", async () => {
  const drained: string[] = [];
  const { deps } = worldWith(async (input, init) => {
    const request = new Request(String(input), { ...init, signal: null });
    return await answerWakeUp(request, {
      secrets: () => [WHOLE.WAKE_UP_SECRET],
      now: () => BEGIN_MS,
      waitUntil: () => {},
      drain: () => {
        drained.push(new URL(request.url).pathname);
        return Promise.resolve();
      },
      log: () => {},
    });
  });
  await createWakeUpSender(deps)(LANES);
  assert.deepEqual(drained, ["/functions/v1/run-control", "/functions/v1/run-storage"]);
});

Deno.test("while a secret is being replaced, the first one signs", async () => {
  let signedBy = "";
  const { deps } = worldWith(
    (_input, init) => {
      signedBy = new Headers(init?.headers).get("webhook-signature") ?? "";
      return Promise.resolve(new Response(null, { status: 202 }));
    },
    { ...WHOLE, WAKE_UP_SECRET: `${WHOLE.WAKE_UP_SECRET},whsec_${btoa("the old secret of the wake-ups..")}` },
  );
  await createWakeUpSender(deps)(LANES.slice(0, 1));
  const first = signedBy;
  const { deps: alone } = worldWith((_input, init) => {
    signedBy = new Headers(init?.headers).get("webhook-signature") ?? "";
    return Promise.resolve(new Response(null, { status: 202 }));
  });
  await createWakeUpSender(alone)(LANES.slice(0, 1));
  assert.equal(first, signedBy);
});

const failures: Record<string, [typeof fetch, Record<string, string>?]> = {
  "no connection": [() => Promise.reject(new TypeError("connection refused"))],
  "no answer": [
    (_input, init) =>
      new Promise((_resolve, reject) =>
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)),
      ),
  ],
  "a missing secret": [() => Promise.resolve(new Response()), { ...WHOLE, WAKE_UP_SECRET: "" }],
};
for (const [what, [answer, settings]] of Object.entries(failures)) {
  Deno.test(`${what} is a line in the log and nothing else`, async () => {
    const { deps, logged } = worldWith(answer, settings);
    await createWakeUpSender(deps)(LANES);
    assert.deepEqual(
      logged.map(({ step, to }) => [step, to]),
      [
        ["wake_up.not_sent", "control"],
        ["wake_up.not_sent", "storage"],
      ],
    );
    assert.ok(!JSON.stringify(logged).includes(WHOLE.WAKE_UP_SECRET));
  });
}

Deno.test("a function that is called from outside asks whom to wake, once in five seconds", async () => {
  let asked = 0;
  const woken: string[] = [];
  const { deps, clock } = worldWith((input) => {
    woken.push(String(input));
    return Promise.resolve(new Response(null, { status: 202 }));
  });
  const wakeOverdueLanes = createOverdueWaker({
    ...deps,
    database: () => ({
      lanesToWake: () => {
        asked += 1;
        return Promise.resolve(asked === 1 ? LANES : []);
      },
    }),
  });
  for (let request = 0; request < 100; request++) await wakeOverdueLanes();
  assert.deepEqual([asked, woken.length], [1, 2]);
  await clock.sleep(5_000);
  await wakeOverdueLanes();
  assert.deepEqual([asked, woken.length], [2, 2]);
});

Deno.test("a database that does not answer, or is not set up, costs the caller nothing", async () => {
  for (const database of [
    () => ({ lanesToWake: () => Promise.reject(new Error("connection reset")) }),
    () => {
      throw new Error("no settings");
    },
  ]) {
    const { deps, logged } = worldWith(() => Promise.reject(new Error("never")));
    await createOverdueWaker({ ...deps, database })();
    assert.equal(logged[0]?.step, "wake_up.unknown");
  }
});
