import assert from "node:assert/strict";
import { parseAgoraEvent } from "../../_shared/agora/events.ts";
import { applyEvents } from "../../_shared/control/apply-events.ts";
import { receiveAgoraEvent } from "../../_shared/control/receive-event.ts";
import type { ReceivedEvent } from "../../_shared/jobs/database.ts";
import fixture from "../fixtures/agora/signed-events.json" with { type: "json" };
import { jobForTest, recordingForTest, TASK_ID, taskForTest } from "../jobs/jobs-for-tests.ts";
import { controlForTest } from "./control-for-tests.ts";

/*
 * Deliveries as they come over the wire: exact bytes with both signatures, made with the secrets of the fixture. What
 * the receiver answers to each is in the fixture too.
 */

interface Delivery {
  body: string;
  headers: Record<string, string>;
}

/** A receiver with an inbox like the database's: a notice is stored once, a sign of life not at all. */
function openReceiver() {
  const inbox = new Map<string, ReceivedEvent>();
  const told: ReceivedEvent[] = [];
  const deliver = async ({ body, headers }: Delivery) => {
    const response = await receiveAgoraEvent(
      new Request("https://functions.example/agora-events", { method: "POST", body, headers }),
      {
        secrets: () => fixture.secrets,
        database: () => ({
          noteUnverifiedEvent: () => Promise.resolve(true),
          receiveEvent: (event) => {
            told.push(event);
            const is_stored = !event.isSignOfLife && !inbox.has(event.noticeId);
            if (is_stored) inbox.set(event.noticeId, event);
            return Promise.resolve({ is_known: true, is_stored, lanes_to_wake: [] });
          },
        }),
        sendWakeUps: () => Promise.resolve(),
        waitUntil: () => {},
        log: () => {},
        now: () => fixture.nowMs,
      },
    );
    const answer: unknown = await response.json();
    return { status: response.status, stored: storedIn(answer) };
  };
  return { deliver, inbox, told };
}

function storedIn(answer: unknown): unknown {
  return typeof answer === "object" && answer !== null && "stored" in answer ? answer.stored : undefined;
}

for (const { name, deliveries } of fixture.cases) {
  Deno.test(`${name}: ${deliveries.map(({ answer }) => answer.status).join(", ")}`, async () => {
    const { deliver, inbox, told } = openReceiver();
    for (const { answer, ...delivery } of deliveries) {
      assert.deepEqual(await deliver(delivery), { stored: undefined, ...answer });
    }
    const stored = deliveries.filter(({ answer }) => "stored" in answer && answer.stored);
    assert.equal(inbox.size, stored.length);
    // What is not believed does not even reach the database.
    const believed = deliveries.filter(({ answer }) => answer.status === 200);
    assert.ok(told.length <= believed.length);
    assert.deepEqual(
      [...inbox.values()].map(({ event }) => event),
      stored.map(({ body }) => JSON.parse(body)),
    );
  });
}

const bodiesOf = (name: string) =>
  fixture.cases.filter((one) => one.name.startsWith(name)).flatMap(({ deliveries }) => deliveries);

/** What the task is told of when these events are applied in this order. */
async function reportsOf(bodies: readonly string[]): Promise<string[]> {
  const control = controlForTest({});
  const events = bodies.map((body) => {
    const event: unknown = JSON.parse(body);
    return { notice_id: parseAgoraEvent(event).noticeId, event, received_at: fixture.nowMs };
  });
  const job = jobForTest({
    kind: "apply_events",
    engine_task_id: TASK_ID,
    recording: recordingForTest({ status: "recording" }),
    tasks: [taskForTest()],
    events,
  });
  await applyEvents(job, control.deps);
  return control.reports().map((report) => JSON.stringify(report));
}

Deno.test("events in another order tell the task the same facts, at the engine's own times", async () => {
  const bodies = bodiesOf("reordered").map(({ body }) => body);
  const reports = await reportsOf(bodies);
  assert.equal(reports.length, 4);
  assert.deepEqual((await reportsOf(bodies.toReversed())).sort(), reports.toSorted());
});

Deno.test("an event that came twice tells the same fact twice, and nothing else", async () => {
  const [one = "", other = ""] = bodiesOf("doubled: two notices").map(({ body }) => body);
  const [told] = await reportsOf([one]);
  assert.ok(told);
  assert.deepEqual(await reportsOf([one, other]), [told, told]);
});

Deno.test("what is unknown is kept and tells nothing", async () => {
  const strange = bodiesOf("unknown").filter(({ body }) => !body.includes('"region"'));
  assert.equal(strange.length, 3);
  assert.deepEqual(await reportsOf(strange.map(({ body }) => body)), []);
});

Deno.test("there are cases of every kind of delivery that can go wrong", () => {
  for (const kind of ["forged", "stale", "replayed", "reordered", "doubled", "truncated", "unknown"]) {
    assert.ok(bodiesOf(kind).length > 0, kind);
  }
});
