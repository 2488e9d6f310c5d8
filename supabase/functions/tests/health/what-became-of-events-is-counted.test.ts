import assert from "node:assert/strict";
import { createCountingLog } from "../../_shared/health/verdict-counter.ts";

function stage() {
  const written: Record<string, number>[] = [];
  const lines: string[] = [];
  const sleeps: { ms: number; end: () => void }[] = [];
  const works: Promise<unknown>[] = [];
  let nowMs = 1_000_000;
  let failures = 0;
  const log = createCountingLog({
    database: () => ({
      countWebhookVerdicts: (counts) => {
        if (failures > 0) {
          failures -= 1;
          return Promise.reject(new Error("no database"));
        }
        written.push(counts);
        return Promise.resolve(Object.keys(counts).length);
      },
    }),
    now: () => nowMs,
    sleep: (ms) =>
      new Promise((resolve) => {
        sleeps.push({
          ms,
          end: () => {
            nowMs += ms;
            resolve();
          },
        });
      }),
    waitUntil: (work) => void works.push(work),
    log: (step) => void lines.push(step),
  });
  return { log, written, lines, sleeps, works, fail: (times: number) => (failures = times) };
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("a line that judges an event is counted, any other only written", async () => {
  const { log, written, lines, works } = stage();
  log("wake_up.sent");
  log("agora_event", { is_stored: true });
  await Promise.all(works);
  assert.deepEqual(written, [{ stored: 1 }]);
  assert.deepEqual(lines, ["wake_up.sent", "agora_event"]);
});

Deno.test("a flood is one write in ten seconds, and every event of it is in there", async () => {
  const { log, written, sleeps, works } = stage();
  log("agora_event.refused");
  await Promise.all(works);
  for (let count = 0; count < 1_000; count++) log("agora_event.refused");
  log("agora_event", { is_stored: false });
  await settle();
  assert.deepEqual([works.length, sleeps.map(({ ms }) => ms)], [2, [10_000]]);
  sleeps[0]?.end();
  await Promise.all(works);
  assert.deepEqual(written, [{ refused: 1 }, { refused: 1_000, not_kept: 1 }]);
});

Deno.test("what could not be written goes with the next", async () => {
  const { log, written, lines, sleeps, works, fail } = stage();
  fail(1);
  log("agora_event.malformed");
  await Promise.all(works);
  assert.deepEqual(lines, ["agora_event.malformed", "verdicts.not_written"]);
  log("agora_event.stale");
  await settle();
  sleeps[0]?.end();
  await Promise.all(works);
  assert.deepEqual(written, [{ malformed: 1, stale: 1 }]);
});

Deno.test("every verdict is one that the database knows", async () => {
  const folder = new URL("../../../migrations/", import.meta.url);
  const sql = await Deno.readTextFile(new URL("20261122123000_count_what_happens.sql", folder));
  const known = new Set(
    [...sql.matchAll(/^ {2}\('(\w+)', (?:true|false), '/gm)].map(([, verdict]) => verdict),
  );
  const { log, written, works } = stage();
  log("agora_event", { is_stored: true });
  await Promise.all(works);
  const steps = [
    "agora_event",
    "agora_event.stale",
    "agora_event.not_stored",
    "agora_event.malformed",
    "agora_event.refused",
    "agora_event.secret_missing",
  ];
  const { log: all, written: allWritten, works: allWorks, sleeps } = stage();
  for (const step of steps) all(step);
  await settle();
  sleeps[0]?.end();
  await Promise.all(allWorks);
  const told = [...written, ...allWritten].flatMap((counts) => Object.keys(counts));
  assert.deepEqual(new Set(told), known);
});
