import { beforeAll, expect, test } from "vitest";
import { readOpenMetrics } from "../../supabase/functions/tests/health/openmetrics-parser.ts";
import { joinCall, wish } from "./people.ts";
import { useStack } from "./stack-under-test.ts";
import { eventually, watchCall } from "./watching.ts";

const under = useStack();

beforeAll(async () => {
  await under.sql.begin(async (transaction) => {
    await transaction`set local role postgres`;
    await transaction`select cron.schedule('recorder-sweep', '1 seconds', 'select recorder.sweep()')`;
  });
});

/** As a monitor that knows the secret, or as anybody. */
async function ask(path: string, secret?: string) {
  const headers: HeadersInit = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
  const response = await fetch(`${under.stack.url}/functions/v1/health${path}`, { headers });
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    text: await response.text(),
  };
}
const secret = () => under.stack.env.HEALTH_SECRET ?? "";

async function metric(name: string, labels: Record<string, string>): Promise<number | undefined> {
  const families = readOpenMetrics((await ask("/metrics", secret())).text);
  const samples = [...families.values()].flatMap((family) => family.samples);
  const wanted = Object.entries(labels);
  return samples.find(
    (sample) => sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value),
  )?.value;
}

test("a monitor sees green without a secret, every check with it, and red when something breaks", async () => {
  await eventually(async () => (await ask("")).text, '{"status":"green"}', 40_000);
  expect((await ask("")).status).toBe(200);
  const { checks } = JSON.parse((await ask("", secret())).text);
  expect(checks.map(({ name }: { name: string }) => name)).toContain("vault");
  expect((await ask("", under.stack.secretKey)).text).not.toContain("checks");
  expect((await ask("/metrics")).status).toBe(401);

  await under.sql`update cron.job set active = false where jobname = 'recorder-sweep'`;
  await eventually(async () => (await ask("")).status, 503, 40_000);
  await under.sql`update cron.job set active = true where jobname = 'recorder-sweep'`;
  await eventually(async () => (await ask("")).status, 200, 40_000);
});

test("a recording moves the numbers that a strict reader reads", async () => {
  const { mentor, mentee, mentorshipId } = await under.people.pair();
  const call = await joinCall(mentor, mentorshipId);
  const view = await watchCall(mentee.client, call.id);
  await wish(mentor.client, call.id, "starting");
  await view.until("recording", { limitMs: 40_000 });
  expect(await metric("recorder_engine_recorders", { engine_account: "default" })).toBe(1);
  await wish(mentor.client, call.id, "stopping");
  await view.until("recorded", { limitMs: 60_000 });

  const { type, text } = await ask("/metrics", secret());
  expect(type).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
  expect(readOpenMetrics(text).size).toBeGreaterThan(8);
  expect(await metric("recorder_recordings", { status: "recorded", outcome: "recorded" })).toBe(1);
  expect(await metric("recorder_stop_to_recorded_seconds_count", {})).toBe(1);
  expect(await metric("recorder_success_ratio", {})).toBe(1);
  expect(await metric("recorder_job_runs_total", { kind: "start", outcome: "done" })).toBeGreaterThanOrEqual(
    1,
  );
  expect(await metric("recorder_engine_slots_total", { kind: "start" })).toBeGreaterThanOrEqual(2);
  await eventually(
    async () => ((await metric("recorder_webhook_verdicts_total", { verdict: "stored" })) ?? 0) > 0,
    true,
    40_000,
  );
});
