import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readLines } from "../../scripts/logs/read-lines.ts";
import { readOpenMetrics } from "../../supabase/functions/tests/health/openmetrics-parser.ts";
import { startChat } from "./chat.ts";
import { joinCall, wish } from "./people.ts";
import { useStack } from "./stack-under-test.ts";
import { eventually, watchCall } from "./watching.ts";

const chat = await startChat();
const under = useStack({ variables: chat.env });
afterAll(() => chat.close());

beforeAll(async () => {
  await under.sql.begin(async (transaction) => {
    await transaction`set local role postgres`;
    await transaction`select cron.schedule('recorder-sweep', '1 seconds', 'select recorder.sweep()')`;
  });
});

/** As a monitor that knows the secret, or as anybody. */
async function ask(path: string, secret?: string, accept = "*/*") {
  const headers: HeadersInit =
    secret === undefined ? { accept } : { accept, authorization: `Bearer ${secret}` };
  const response = await fetch(`${under.stack.url}/functions/v1/health${path}`, { headers });
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    text: await response.text(),
  };
}
const secret = () => under.stack.env.HEALTH_SECRET ?? "";

const calls = { recorded: "" };

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
  calls.recorded = call.id;
  const view = await watchCall(mentee.client, call.id);
  await wish(mentor.client, call.id, "starting");
  await view.until("recording", { limitMs: 40_000 });
  expect(await metric("recorder_engine_recorders", { engine_account: "default" })).toBe(1);
  await wish(mentor.client, call.id, "stopping");
  await view.until("recorded", { limitMs: 60_000 });

  const { type, text } = await ask("/metrics", secret());
  expect(type).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
  expect(readOpenMetrics(text).size).toBeGreaterThan(8);
  const older = await ask("/metrics", secret(), "text/plain");
  expect(older.type).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(older.text).toContain("# TYPE recorder_job_runs_total counter\n");
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

test("an alert is told once in the chat and to an administrator, and once more when it is over", async () => {
  const { sql, people } = under;
  const { mentor, mentee } = await people.pair();
  await sql`update recorder.settings set value = 2 where name = 'alert_calm'`;
  await sql`select recorder.name_portal_administrator(${mentor.id})`;
  const about = () =>
    chat.messages.filter(({ text }) => text.includes("secret_expiring")).map(({ text }) => text);
  const seenBy = async (client: typeof mentor.client) => {
    const { data, error } = await client.rpc("list_alerts");
    expect(error).toBeNull();
    return (data as { rule: string; state: string }[])
      .filter(({ rule }) => rule === "secret_expiring")
      .map(({ state }) => state);
  };

  chat.failNext(503, 1);
  await sql`select recorder.set_secret_expiry('AGORA_CUSTOMER_SECRET', now() + interval '3 days')`;
  await eventually(() => seenBy(mentor.client), ["firing"], 40_000);
  expect(await seenBy(mentee.client)).toEqual([]);
  await eventually(() => about().length, 1, 60_000);
  expect(about()[0]).toMatch(/^Warning: A secret expires soon\.\nAGORA_CUSTOMER_SECRET ends 20/);
  expect(await metric("recorder_alerts_firing", { rule: "secret_expiring" })).toBe(1);

  await sql`select recorder.set_secret_expiry('AGORA_CUSTOMER_SECRET', null)`;
  await eventually(() => about().length, 2, 60_000);
  expect(about()[1]).toMatch(/^Recovered: A secret expires soon\./);
  expect(await seenBy(mentor.client)).toEqual(["resolved"]);
  expect(await metric("recorder_alerts_firing", { rule: "secret_expiring" })).toBe(0);
});

test("the story of the recording is told by its database and its log, with one number in all of it", async () => {
  const [recording] = await under.sql<{ id: string; correlation_id: string }[]>`
    select id, correlation_id from public.recordings where call_id = ${calls.recorded}`;
  const script = fileURLToPath(new URL("../../scripts/logs.ts", import.meta.url));
  const tell = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      script,
      "--recording",
      recording?.id ?? "",
      "--data",
      under.stack.dataDir,
      ...args,
    ]);
    return stdout;
  };
  const words = await tell();
  for (const sentence of [
    "Somebody wished to record. nothing \u2192 starting. By user.",
    "the engine confirmed that it is in the channel.",
    "kind=start attempt=",
    "call=acquire",
    "call=stop",
    "A file (playlist",
    "Outcome: recorded",
  ])
    expect(words).toContain(sentence);
  const entries = (await tell("--json"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(entries.map(({ at }) => at)).toEqual(entries.map(({ at }) => at).toSorted());
  const steps = entries.filter(({ source }) => source === "run-control" || source === "run-storage");
  expect(steps.map(({ event }) => event)).toEqual(expect.arrayContaining(["engine", "job"]));
  expect(entries.some(({ source, event }) => source === "agora-events" && event === "agora_event")).toBe(
    true,
  );

  const log = await readFile(join(under.stack.dataDir, "logs/functions.log"), "utf8");
  const jobs = readLines(log).filter(
    ({ step, fields }) => step === "job" && fields.recording_id === recording?.id,
  );
  expect(jobs.map(({ fields }) => fields.kind)).toEqual(expect.arrayContaining(["start", "stop", "collect"]));
  expect(new Set(jobs.map(({ fields }) => fields.correlation_id))).toEqual(
    new Set([recording?.correlation_id]),
  );
  for (const { fields } of jobs) {
    expect(fields).toMatchObject({
      job_id: expect.any(Number),
      outcome: expect.any(String),
      ms: expect.any(Number),
      attempt: expect.any(Number),
    });
  }
  expect(jobs.find(({ fields }) => fields.kind === "collect")?.fields.store_requests).toBeGreaterThan(0);
});
