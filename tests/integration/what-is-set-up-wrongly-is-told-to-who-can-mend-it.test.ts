import { expect, test } from "vitest";
import { controlHandlers } from "../../supabase/functions/_shared/control/control-lane.ts";
import { serveLane } from "../../supabase/functions/_shared/jobs/lane.ts";
import { signStandardWebhook } from "../../supabase/functions/_shared/webhooks/standard-webhooks.ts";
import { type CallRow, joinCall, type Pair, wish } from "./people.ts";
import { useStack } from "./stack-under-test.ts";
import { type CallView, eventually, watchCall } from "./watching.ts";

const under = useStack();

interface Scene extends Pair {
  call: CallRow;
  view: CallView;
}

async function newScene(): Promise<Scene> {
  const pair = await under.people.pair();
  const call = await joinCall(pair.mentor, pair.mentorshipId);
  return { ...pair, call, view: await watchCall(pair.mentee.client, call.id) };
}

/** The recording failed with this error, whose sentence says this much, and nothing of it keeps running or waiting. */
async function expectFailed(
  { call, view }: Scene,
  code: string,
  blame: string,
  sentence: RegExp,
): Promise<void> {
  const pushed = await view.until("failed");
  expect(pushed.recording_error).toMatchObject({ code, blame });
  expect(pushed.recording_error?.message).toMatch(sentence);
  await eventually(() => under.engine.running(call.channel), []);
  await eventually(
    async () => [
      ...(await under.sql`
        select t.state from recorder.engine_tasks t where t.channel = ${call.channel} and t.state <> 'gone'`),
      ...(await under.sql`
        select j.kind from recorder.jobs j join public.recordings r on r.id = j.recording_id
        where r.channel = ${call.channel} and j.state in ('queued', 'running') and j.kind <> 'apply_events'`),
    ],
    [],
  );
}

/**
 * A start that a control lane with other settings does. It runs in this process, and the wake-ups of the database go
 * astray meanwhile, so that the stack's own lane, whose settings are right, does not do the work.
 */
async function startWith(scene: Scene, change: Record<string, string | undefined>): Promise<void> {
  const { sql, stack } = under;
  const [secret] = await sql`select id from vault.secrets where name = 'functions_url'`;
  await sql`select vault.update_secret(${secret?.id}, 'http://127.0.0.1:9/functions/v1')`;
  await eventually(
    async () => (await sql`select from recorder.drains where lane = 'control' and token is not null`).length,
    0,
  );
  try {
    const settings: Record<string, string | undefined> = {
      ...stack.env,
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: stack.secretKey }),
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: stack.publishableKey }),
      ...change,
    };
    const work: Promise<unknown>[] = [];
    const answer = serveLane(
      { lane: "control", budgetMs: 30_000, lingerMs: 100, patienceMs: 8_000, tickMs: 100, concurrency: 5 },
      controlHandlers,
      {
        environment: { get: (name) => settings[name] },
        fetch,
        now: Date.now,
        sleep: (ms) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
        random: Math.random,
        newId: () => crypto.randomUUID(),
        waitUntil: (promise) => work.push(promise),
        write: () => undefined,
      },
    );
    await wish(scene.mentor.client, scene.call.id, "starting");
    const body = new TextEncoder().encode("{}");
    const headers = signStandardWebhook({
      id: crypto.randomUUID(),
      timestampSeconds: Math.floor(Date.now() / 1000),
      body,
      secret: stack.env.WAKE_UP_SECRET ?? "",
    });
    const response = await answer(
      new Request("http://lane.example", { method: "POST", body, headers: { ...headers } }),
    );
    expect(response.status).toBe(202);
    await Promise.all(work);
  } finally {
    await sql`select vault.update_secret(${secret?.id}, ${`${stack.url}/functions/v1`})`;
  }
}

test.each([
  ["is missing", { AGORA_CUSTOMER_SECRET: undefined }, "setting_invalid", /not set up/],
  [
    "is wrong",
    { AGORA_CUSTOMER_SECRET: "wrong" },
    "engine_unauthorized",
    /Customer ID and the Customer Secret/,
  ],
])("credentials: the secret %s", async (_what, change, code, sentence) => {
  const scene = await newScene();
  await startWith(scene, change);
  await expectFailed(scene, code, "configuration", sentence);
});

test("credentials: App ID and Certificate, the commonest mistake", async () => {
  const scene = await newScene();
  const { AGORA_APP_ID, AGORA_APP_CERTIFICATE } = under.stack.env;
  await startWith(scene, { AGORA_CUSTOMER_ID: AGORA_APP_ID, AGORA_CUSTOMER_SECRET: AGORA_APP_CERTIFICATE });
  await expectFailed(scene, "engine_unauthorized", "configuration", /not the App ID and the App Certificate/);
});

test("credentials of another project than the App ID", async () => {
  const scene = await newScene();
  await startWith(scene, { AGORA_APP_ID: "0123456789abcdef0123456789abcdef" });
  await expectFailed(scene, "engine_unauthorized", "configuration", /of the same account/);
});

test("the App Certificate of another project: the engine takes the start and refuses the recorder's pass", async () => {
  const scene = await newScene();
  await startWith(scene, { AGORA_APP_CERTIFICATE: "0123456789abcdef0123456789abcdef" });
  await expectFailed(scene, "engine_token_invalid", "configuration", /App Certificate/);
});

test.each([
  [400, "engine_app_not_enabled", /App ID/],
  [405, "engine_account_inactive", /suspended or unpaid/],
])("an account that Agora answers code %s", async (engineCode, code, sentence) => {
  const scene = await newScene();
  const { channel: cname } = scene.call;
  await under.engine.addFault({ kind: "answer", call: "acquire", status: 400, code: engineCode, cname });
  await wish(scene.mentor.client, scene.call.id, "starting");
  await expectFailed(scene, code, "configuration", sentence);
});

test("storage that refuses: the start is answered 200, the end comes with the first file", async () => {
  const scene = await newScene();
  await under.engine.addFault({ kind: "refuse_storage", cname: scene.call.channel, times: 100 });
  await wish(scene.mentor.client, scene.call.id, "starting");
  await expectFailed(scene, "engine_storage_refused", "configuration", /bucket, key or endpoint/);
  await under.engine.clearFaults();
});

test("a preset beyond Agora's limits is refused where it is written, and would be again before it is sent", async () => {
  const { sql } = under;
  await expect(sql`update recorder.presets set fps = 25 where quality = '720p'`).rejects.toThrow(
    "presets_fps_check",
  );
  await expect(sql`update recorder.presets set width = 1921 where quality = '720p'`).rejects.toThrow(
    "presets_size_check",
  );
  const scene = await newScene();
  await sql`alter table recorder.presets drop constraint presets_fps_check`;
  try {
    await sql`update recorder.presets set fps = 25 where quality = '720p'`;
    await wish(scene.mentor.client, scene.call.id, "starting");
    await expectFailed(scene, "engine_request_invalid", "us", /not acceptable/);
    expect(await under.engine.tasks(scene.call.channel)).toEqual([]);
  } finally {
    await sql`update recorder.presets set fps = 15 where quality = '720p'`;
    await sql`alter table recorder.presets add constraint presets_fps_check check (fps in (1, 7, 10, 15, 24, 30, 60))`;
  }
});

test("a channel name with characters that Agora forbids cannot be written, and would be refused before it is sent", async () => {
  const { sql } = under;
  const scene = await newScene();
  await wish(scene.mentor.client, scene.call.id, "starting");
  await scene.view.until("recording");
  await expect(
    sql`update public.video_calls set channel = 'lesson/7' where id = ${scene.call.id}`,
  ).rejects.toThrow(/fact_column_read_only|video_calls_channel_check/);
  const other = await newScene();
  // As if a task had been written with such a name all the same.
  await sql`create function pg_temp_name() returns trigger language plpgsql as $$
    begin new.channel := 'lesson/7'; return new; end $$`;
  await sql`create trigger wrong_name before insert on recorder.engine_tasks for each row execute function pg_temp_name()`;
  try {
    await wish(other.mentor.client, other.call.id, "starting");
    await expectFailed(other, "channel_name_invalid", "us", /name of this call's channel/);
  } finally {
    await sql`drop function pg_temp_name() cascade`;
  }
  expect(await under.engine.tasks("lesson/7")).toEqual([]);
  await wish(scene.mentor.client, scene.call.id, "stopping");
  await scene.view.until("recorded");
});
