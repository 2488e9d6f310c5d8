import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createB2Client } from "../../_shared/b2/client.ts";
import { createPresigner } from "../../_shared/b2/presign.ts";
import { bucketSettings, playbackSettings, supabaseSettings, webhookSecrets } from "../../_shared/config.ts";
import { controlHandlers } from "../../_shared/control/control-lane.ts";
import { receiveAgoraEvent } from "../../_shared/control/receive-event.ts";
import { startRequestOf, withoutSecrets } from "../../_shared/control/start-request.ts";
import { createRecorderDatabase } from "../../_shared/jobs/database.ts";
import { serveLane } from "../../_shared/jobs/lane.ts";
import { createLog } from "../../_shared/log.ts";
import { userOfToken } from "../../_shared/people/user.ts";
import { answerPlayback } from "../../_shared/playback/answer.ts";
import { storeAddresses } from "../../_shared/playback/store-addresses.ts";
import { storageHandlers } from "../../_shared/storage/storage-lane.ts";
import { signStandardWebhook } from "../../_shared/webhooks/standard-webhooks.ts";
import { EVENTS } from "../control/events-for-tests.ts";
import {
  CHANNEL,
  jobForTest,
  RECORDING_ID,
  RESOURCE_ID,
  recordingForTest,
  SID,
  TASK_ID,
  taskForTest,
  UID,
} from "../jobs/jobs-for-tests.ts";
import { BEGIN_MS, virtualClock } from "../jobs/virtual-clock.ts";
import { playbackForTest, VIEWER_ID } from "../playback/playback-for-tests.ts";
import { PREFIX, sliceFile } from "../storage/bucket-in-memory.ts";
import { WHOLE } from "./environment-for-tests.ts";

const WAKE_UP_SECRET = `whsec_${btoa("MARKED wake-up secret, 32 bytes.")}`;
const MARKED: Record<string, string> = {
  ...WHOLE,
  SUPABASE_SECRET_KEYS: '{"default": "sb_secret_MARKED"}',
  AGORA_APP_CERTIFICATE: "deadbeefdeadbeefdeadbeefdeadbeef",
  AGORA_CUSTOMER_SECRET: "MARKED-customer-secret",
  AGORA_WEBHOOK_SECRET: "MARKED-webhook-secret",
  WAKE_UP_SECRET,
  BACKBLAZE_B2_SECRET_ACCESS_KEY: "MARKED-application-key",
  BACKBLAZE_B2_INGEST_ACCESS_KEY_ID: "ingest-key-id",
  BACKBLAZE_B2_INGEST_SECRET_ACCESS_KEY: "MARKED-ingest-key",
  PLAYBACK_TOKEN_SECRET: "MARKED secret of the playlist tokens",
};
const USER_TOKEN = "eyJ.MARKED.user-token";
const environment = { get: (name: string) => MARKED[name] };

/** Fails where a text holds a secret, anything made of one, or an address that opens something. */
function assertClean(texts: readonly string[], more: readonly string[] = []) {
  const basic = btoa(`${WHOLE.AGORA_CUSTOMER_ID}:${MARKED.AGORA_CUSTOMER_SECRET}`);
  const forbidden = ["MARKED", "deadbeef", WAKE_UP_SECRET, basic, "X-Amz-Signature", "007eJ", ...more];
  for (const text of texts) {
    for (const secret of forbidden) assert.ok(!text.includes(secret), `${secret.slice(0, 12)}… in ${text}`);
  }
}

/** Runs a lane's function on one job; `elsewhere` answers what is not the database. */
async function runLane(lane: "control" | "storage", job: unknown, elsewhere: typeof fetch) {
  const clock = virtualClock();
  const lines: string[] = [];
  const toDatabase: string[] = [];
  const work: Promise<unknown>[] = [];
  let looks = 0;
  const answers: Record<string, () => unknown> = {
    work: () => {
      looks += 1;
      return { has_place: true, jobs: looks === 1 ? [job] : [], next_run_in_ms: null, settings: {} };
    },
    leave: () => false,
    begin_attempt: () => ({
      id: TASK_ID,
      attempt: 1,
      channel: CHANNEL,
      uid: UID,
      token_expires_at: new Date(BEGIN_MS + 86_400_000).toISOString(),
    }),
    report: () => ({ status: "starting", attempt: 1, is_won: true }),
    mark_applied: () => 1,
    publish: () => true,
    files_failed: () => true,
  };
  const settings = { lane, budgetMs: 60_000, lingerMs: 100, patienceMs: 0, tickMs: 50, concurrency: 2 };
  const serve = serveLane(settings, lane === "control" ? controlHandlers : storageHandlers, {
    environment,
    now: clock.now,
    sleep: clock.sleep,
    random: () => 0.5,
    newId: () => crypto.randomUUID(),
    waitUntil: (promise) => work.push(promise),
    write: (line) => lines.push(line),
    fetch: async (input, init) => {
      if (!String(input).startsWith(WHOLE.SUPABASE_URL)) return await elsewhere(input, init);
      assert.ok(init?.body instanceof Blob);
      toDatabase.push(await init.body.text());
      const call = String(input).slice(String(input).lastIndexOf("/") + 1);
      return Response.json(answers[call]?.());
    },
  });
  const body = new TextEncoder().encode("{}");
  const timestampSeconds = BEGIN_MS / 1000;
  const headers = signStandardWebhook({ id: "wake_1", timestampSeconds, body, secret: WAKE_UP_SECRET });
  const response = await serve(
    new Request("https://f.example", { method: "POST", body, headers: { ...headers } }),
  );
  assert.equal(response.status, 202);
  await Promise.all(work);
  assert.ok(
    lines.some((line) => line.includes('"step":"job"')),
    "the job was run",
  );
  return { lines, toDatabase };
}

/** A start as the database keeps it. */
function keptRequestForTest() {
  const bucket = bucketSettings(environment, "ingest");
  return withoutSecrets(startRequestOf(recordingForTest(), 1, {}, bucket));
}

/** As the database sends it. */
function wire(change: Parameters<typeof jobForTest>[0]) {
  const iso = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString());
  const { recording, tasks, events, ...job } = jobForTest(change);
  const { requested_at, started_at, stop_requested_at, stopped_at, deadline_at, ...facts } = recording;
  return {
    ...job,
    recording: {
      ...facts,
      requested_at: iso(requested_at),
      started_at: iso(started_at),
      stop_requested_at: iso(stop_requested_at),
      stopped_at: iso(stopped_at),
      deadline_at: iso(deadline_at),
    },
    tasks: tasks.map((task) => ({
      ...task,
      token_expires_at: iso(task.token_expires_at),
      start_sent_at: iso(task.start_sent_at),
      started_at: null,
      confirmed_at: null,
      last_seen_at: null,
      suspect_since: null,
      left_at: null,
      failed_at: null,
      gone_at: null,
    })),
    events: events?.map((event) => ({ ...event, received_at: iso(event.received_at) })) ?? null,
  };
}

const headersOf = (init: RequestInit | undefined) => JSON.stringify([...new Headers(init?.headers)]);
/** An engine that says back everything it was sent, as a chatty gateway might. */
const echo =
  (status: number, code?: number): typeof fetch =>
  async (input, init) => {
    const body = init?.body instanceof Blob ? await init.body.text() : "";
    const reason = `${String(input)} ${body}`;
    return Response.json({ ...(code === undefined ? {} : { code }), reason, message: reason }, { status });
  };

const engines: Record<string, typeof fetch> = {
  "that works": (input) =>
    Promise.resolve(
      Response.json(
        String(input).endsWith("/acquire")
          ? { resourceId: RESOURCE_ID }
          : { sid: SID, resourceId: RESOURCE_ID },
      ),
    ),
  "that refuses the credentials": echo(401),
  "that has an error": echo(500, 500),
  "that refuses the start and says it all back": (input, init) =>
    String(input).endsWith("/acquire")
      ? Promise.resolve(Response.json({ resourceId: RESOURCE_ID }))
      : echo(400, 2)(input, init),
  "that is away": () => Promise.reject(new TypeError("error sending request")),
};
for (const [what, engine] of Object.entries(engines)) {
  Deno.test(`a start with an engine ${what} tells no secret to log or database`, async () => {
    let authorization = "";
    let token = "";
    const { lines, toDatabase } = await runLane("control", wire({ kind: "start" }), async (input, init) => {
      authorization = new Headers(init?.headers).get("authorization") ?? "";
      const sent = init?.body instanceof Blob ? await init.body.text() : "";
      token = /"token":"(007[^"]+)"/.exec(sent)?.[1] ?? token;
      return await engine(input, init);
    });
    assert.match(authorization, /^Basic /, "the engine was given the secret");
    assertClean([...lines, ...toDatabase], [authorization, ...(token === "" ? [] : [token])]);
  });
}

for (const kind of ["start_again", "stop", "confirm", "apply_events"] as const) {
  Deno.test(`${kind} tells no secret either`, async () => {
    const event = EVENTS.fatal();
    const job = wire({
      kind,
      engine_task_id: TASK_ID,
      recording: recordingForTest(kind === "stop" ? { status: "stopping" } : {}),
      tasks: [
        taskForTest(
          kind === "start_again"
            ? { state: "requested", sid: null, is_unanswered: true, request: keptRequestForTest() }
            : {},
        ),
      ],
      events: [{ notice_id: event.noticeId, event, received_at: BEGIN_MS }],
    });
    const { lines, toDatabase } = await runLane("control", job, echo(400, 2));
    assertClean([...lines, ...toDatabase]);
  });
}

Deno.test("a store that refuses and says everything back brings no secret into the log", async () => {
  const job = wire({
    kind: "collect",
    recording: recordingForTest({ status: "processing", stopped_at: BEGIN_MS }),
    tasks: [taskForTest({ state: "gone" })],
  });
  const { lines, toDatabase } = await runLane("storage", job, (_input, init) => {
    const message = headersOf(init).replaceAll('"', "'");
    return Promise.resolve(
      new Response(`<Error><Code>SignatureDoesNotMatch</Code><Message>${message}</Message></Error>`, {
        status: 403,
      }),
    );
  });
  assert.ok(lines.some((line) => line.includes("store_signature_refused")));
  assertClean([...lines, ...toDatabase]);
});

Deno.test("an event of the engine tells neither secret nor signature", async () => {
  const lines: string[] = [];
  const text = JSON.stringify(EVENTS.started());
  const signature = createHmac("sha256", MARKED.AGORA_WEBHOOK_SECRET ?? "")
    .update(text)
    .digest("hex");
  for (const [body, headers, status] of [
    [text, { "agora-signature-v2": signature }, 503],
    [text, { "agora-signature-v2": signature.replace(/^./, (first) => (first === "0" ? "1" : "0")) }, 401],
    [`${text} `, { "agora-signature-v2": signature }, 401],
  ] as const) {
    const response = await receiveAgoraEvent(
      new Request("https://f.example", { method: "POST", body, headers }),
      {
        secrets: () => webhookSecrets(environment),
        database: () =>
          createRecorderDatabase(supabaseSettings(environment), {
            fetch: (_input, init) => Promise.reject(new TypeError(`error sending request ${init?.method}`)),
          }),
        sendWakeUps: () => Promise.resolve(),
        waitUntil: () => {},
        log: createLog((line) => lines.push(line)),
        now: () => BEGIN_MS,
      },
    );
    assert.equal(response.status, status);
    assertClean([await response.text()]);
  }
  assert.equal(lines.length, 3);
  assertClean(lines, [signature.slice(1)]);
});

Deno.test("playback gives tokens and signed addresses to the viewer, and to nobody's log", async () => {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line));
  const manifest = {
    version: 1,
    segments: [{ object_key: `${PREFIX}a1/${sliceFile(0)}`, duration_ms: 15_000, is_discontinuity: false }],
  };
  let storeAnswer = () => new Response(JSON.stringify(manifest));
  const fetchAnywhere: typeof fetch = (input) => {
    const url = String(input instanceof Request ? input.url : input);
    if (url.includes("/auth/")) return Promise.resolve(Response.json({ id: VIEWER_ID }));
    if (url.includes("/rpc/")) return Promise.resolve(Response.json(playbackForTest()));
    return Promise.resolve(storeAnswer());
  };
  const supabase = supabaseSettings(environment);
  const bucket = bucketSettings(environment, "playback");
  const clock = { now: () => BEGIN_MS, sleep: () => Promise.resolve(), random: () => 0 };
  const ask = (url: string, init: RequestInit) =>
    answerPlayback(
      new Request(url, init),
      () => ({
        ...playbackSettings(environment),
        database: createRecorderDatabase(supabase, { fetch: fetchAnywhere }),
        bucket: createB2Client(bucket, { fetch: fetchAnywhere, ...clock }),
        media: storeAddresses(createPresigner(bucket)),
        wakeOverdueLanes: () => {},
        userOf: (accessToken) => userOfToken(accessToken, supabase, { fetch: fetchAnywhere }),
        now: clock.now,
      }),
      log,
    );
  const opened = await ask(WHOLE.PLAYBACK_BASE_URL, {
    method: "POST",
    headers: { authorization: `Bearer ${USER_TOKEN}` },
    body: JSON.stringify({ recording_id: RECORDING_ID }),
  });
  assert.equal(opened.status, 200);
  const addresses = await opened.text();
  assert.ok(addresses.includes("X-Amz-Signature"), "the viewer is given signed addresses");
  assert.ok(!addresses.includes("MARKED"));
  const playlistUrl = /"url":"([^"]+playlist\.m3u8[^"]+)"/.exec(addresses)?.[1] ?? "";
  const token = new URL(playlistUrl).searchParams.get("token") ?? "";
  assert.equal((await ask(playlistUrl, { method: "GET" })).status, 200);
  assert.equal((await ask(`${playlistUrl}A`, { method: "GET" })).status, 403);
  for (const answer of [
    () => new Response("<Error><Code>AccessDenied</Code><Message>No.</Message></Error>", { status: 403 }),
    () => new Response("no manifest"),
  ]) {
    storeAnswer = answer;
    const refused = await ask(playlistUrl, { method: "GET" });
    assert.equal(refused.status, 503);
    assertClean([await refused.text()]);
  }
  assert.ok(lines.length >= 3);
  assertClean(lines, [USER_TOKEN, token, token.slice(-43)]);
});

Deno.test("nothing below index.ts and the world of a function writes to the console", async () => {
  const shared = new URL("../../_shared/", import.meta.url);
  const found: string[] = [];
  const walk = async (folder: URL): Promise<void> => {
    for await (const entry of Deno.readDir(folder)) {
      if (entry.isDirectory) await walk(new URL(`${entry.name}/`, folder));
      else if (/\bconsole\./.test(await Deno.readTextFile(new URL(entry.name, folder))))
        found.push(entry.name);
    }
  };
  await walk(shared);
  assert.deepEqual(found, ["edge-world.ts"]);
});
