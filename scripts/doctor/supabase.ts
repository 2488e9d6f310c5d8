import { createHmac } from "node:crypto";
import { wakeUpSecrets, webhookSecrets } from "../../supabase/functions/_shared/config.ts";
import { signStandardWebhook } from "../../supabase/functions/_shared/webhooks/standard-webhooks.ts";
import { type Check, type DoctorDeps, type Finding, fine, settingOf, unknown, wrong } from "./check.ts";
import { compareClock } from "./clocks.ts";
import { setting } from "./places.ts";

const TIMEOUT_MS = 10_000;
const SECRETS_PAGE = "Supabase dashboard, Edge Functions, Secrets";
const DEPLOY = "npm run deploy";

const projectUrl = (deps: DoctorDeps): string => (settingOf(deps, "SUPABASE_URL") ?? "").replace(/\/+$/, "");

interface Told {
  status: number;
  /** Set by the platform where the function itself was not asked. */
  platformCode: string | undefined;
  code: string | undefined;
  message: string;
  text: string;
}

async function ask(deps: DoctorDeps, path: string, init: RequestInit): Promise<Told> {
  const response = await deps.fetch(`${projectUrl(deps)}${path}`, {
    ...init,
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const text = (await response.text()).slice(0, 4_000);
  const body = jsonOf(text);
  return {
    status: response.status,
    platformCode: response.headers.get("sb-error-code") ?? undefined,
    code: typeof body.code === "string" ? body.code : undefined,
    message: typeof body.message === "string" ? body.message : "",
    text,
  };
}

function jsonOf(text: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null ? { ...json } : {};
  } catch {
    return {};
  }
}

const reachable: Check = {
  id: "supabase.reachable",
  title: "The project answers",
  needs: ["environment.supabase"],
  async run(deps) {
    const why = "Nothing works without it.";
    try {
      const { status } = await ask(deps, "/auth/v1/health", { headers: { apikey: publishable(deps) } });
      if (status === 540) {
        return wrong(
          "The project is paused.",
          why,
          "Restore it: Supabase dashboard, the project, Restore project.",
        );
      }
      return fine();
    } catch {
      return wrong(
        `No answer from ${new URL(projectUrl(deps)).host}.`,
        why,
        `See whether the project is there and not paused (Supabase dashboard), or started (npm start). ${setting("SUPABASE_URL")}`,
      );
    }
  },
};

const publishable = (deps: DoctorDeps): string => settingOf(deps, "SUPABASE_PUBLISHABLE_KEY") ?? "";
const secretKey = (deps: DoctorDeps): string => settingOf(deps, "SUPABASE_SECRET_KEY") ?? "";

const publishableKey: Check = {
  id: "supabase.publishable_key",
  title: "The project knows the publishable key, and it opens nothing but what is public",
  needs: ["supabase.reachable"],
  async run(deps) {
    const told = await ask(deps, "/rest/v1/video_calls?select=id&limit=1", {
      headers: { apikey: publishable(deps) },
    });
    if (told.status === 401 && /api key/i.test(told.message)) {
      return wrong(
        "The project does not know the key in SUPABASE_PUBLISHABLE_KEY.",
        "The portal cannot sign anybody in.",
        setting("SUPABASE_PUBLISHABLE_KEY"),
      );
    }
    if (told.status === 200 && told.text.trim() !== "[]") {
      return wrong(
        "Somebody who has not signed in can read calls.",
        "Everybody who has the publishable key sees who met whom.",
        "A policy or grant was added that is none of ours: compare with supabase/migrations (Supabase dashboard, Database, Policies), then run npm run deploy.",
      );
    }
    return fine();
  },
};

const schemas: Check = {
  id: "supabase.api_schemas",
  title: "The API shows the schemas public and recorder_api, the latter to the secret key only",
  needs: ["supabase.reachable", "supabase.publishable_key"],
  async run(deps) {
    const call = (apikey: string) =>
      ask(deps, "/rest/v1/rpc/lanes_to_wake", {
        method: "POST",
        headers: { apikey, "content-type": "application/json", "content-profile": "recorder_api" },
        body: "{}",
      });
    const told = await call(secretKey(deps));
    if (told.status === 401 && /api key/i.test(told.message)) {
      return wrong(
        "The project does not know the key in SUPABASE_SECRET_KEY.",
        "The doctor and rebuilds cannot ask the database as the functions do.",
        setting("SUPABASE_SECRET_KEY"),
      );
    }
    if (told.code === "PGRST106") {
      return wrong(
        "The API does not show the schema recorder_api.",
        "The functions can neither fetch work nor report: every recording stays in its first state.",
        `Add recorder_api: Supabase dashboard, Project Settings, Data API, Exposed schemas (or ${DEPLOY}, which pushes config.toml).`,
      );
    }
    if (told.code === "PGRST202") {
      return wrong(
        "The database has no function recorder_api.lanes_to_wake.",
        "The functions find no work.",
        `Apply the migrations: ${DEPLOY}. If they are applied, let the API read them: notify pgrst, 'reload schema'; in the SQL editor.`,
      );
    }
    if (told.status !== 200)
      return unknown(`The API answered ${told.status} ${told.code ?? ""} ${told.message}`.trim());
    if ((await call(publishable(deps))).status === 200) {
      return wrong(
        "The schema recorder_api is open to everybody who has the publishable key.",
        "Strangers could take work away from the functions and report false facts.",
        "Revoke what was granted: revoke all on all functions in schema recorder_api from public, anon, authenticated; in the SQL editor.",
      );
    }
    return fine();
  },
};

/** How a function answered somebody who shows nothing. */
const functions: Check = {
  id: "supabase.functions",
  title: "Every function is deployed, starts, and checks its callers itself (verify_jwt as in config.toml)",
  needs: ["supabase.reachable"],
  async run(deps) {
    const answers = await Promise.all(
      deps.project.functions.map(async ({ name, verifyJwt }) => ({
        name,
        verifyJwt,
        told: await ask(deps, `/functions/v1/${name}`, { method: "POST", body: "{}" }),
      })),
    );
    const named = (fits: (answer: (typeof answers)[number]) => boolean) =>
      answers
        .filter(fits)
        .map(({ name }) => name)
        .join(", ");
    const isCheckedByPlatform = ({ told }: (typeof answers)[number]) =>
      told.status === 401 &&
      (told.platformCode?.startsWith("UNAUTHORIZED_") ?? /missing authorization header/i.test(told.message));
    const absent = named(
      ({ told }) =>
        told.status === 404 && (told.platformCode ?? told.code ?? "NOT_FOUND").startsWith("NOT_FOUND"),
    );
    if (absent !== "") {
      return wrong(
        `Not deployed: ${absent}.`,
        "What they do is not done: wake-ups, events of Agora and people get 404.",
        `${DEPLOY} (its step functions).`,
      );
    }
    const guarded = named((answer) => isCheckedByPlatform(answer) && !answer.verifyJwt);
    if (guarded !== "") {
      return wrong(
        `The platform asks for a token before ${guarded} (verify_jwt is on).`,
        "The database, Agora and players have no token: all of them get 401, and the function never hears of it.",
        `${DEPLOY} (its step functions: config.toml says verify_jwt = false), or Supabase dashboard, Edge Functions, the function, Details, Verify JWT off.`,
      );
    }
    const broken = named(
      ({ told }) => told.status === 503 && (told.platformCode ?? told.code) === "BOOT_ERROR",
    );
    if (broken !== "") {
      return wrong(
        `Do not start: ${broken}.`,
        "What they do is not done.",
        `See Supabase dashboard, Edge Functions, the function, Logs; then ${DEPLOY}.`,
      );
    }
    const unset = named(({ told }) => told.code === "setting_invalid");
    if (unset !== "") {
      return wrong(
        `Settings are missing or malformed in ${unset}.`,
        "They answer 503 to everybody.",
        `${DEPLOY} (its step secrets), or ${SECRETS_PAGE}; the function's log names the setting.`,
      );
    }
    return fine(`${answers.length} functions`);
  },
};

const wakeUps: Check = {
  id: "supabase.wake_ups",
  title: "The functions of the lanes accept a wake-up that is signed with WAKE_UP_SECRET",
  needs: ["supabase.functions", "environment.ours"],
  async run(deps) {
    const lanes = deps.project.functions
      .filter(({ name }) => name.startsWith("run-"))
      .map(({ name }) => name);
    const [secret = ""] = wakeUpSecrets(deps.environment);
    const timestampSeconds = Math.floor(deps.now() / 1000);
    const body = Buffer.from(JSON.stringify({ lane: "doctor", sent_at: timestampSeconds }));
    const answers = await Promise.all(
      lanes.map(async (name) => {
        const id = `wake_${deps.newId().replaceAll("-", "")}`;
        const headers = {
          "content-type": "application/json",
          ...signStandardWebhook({ id, timestampSeconds, body, secret }),
        };
        return {
          name,
          ...(await ask(deps, `/functions/v1/${name}`, { method: "POST", headers, body: body.toString() })),
        };
      }),
    );
    const names = (fits: (status: number) => boolean) =>
      answers
        .filter(({ status }) => fits(status))
        .map(({ name }) => name)
        .join(", ");
    const why = "No lane is woken: recordings wait until somebody mends it.";
    const todo = `${DEPLOY} (its steps secrets and vault), or ${SECRETS_PAGE}: WAKE_UP_SECRET must be the value in .env.`;
    if (names((status) => status === 500) !== "") {
      return wrong(
        `WAKE_UP_SECRET is missing or malformed in ${names((status) => status === 500)}.`,
        why,
        todo,
      );
    }
    if (names((status) => status === 401) !== "") {
      return wrong(`${names((status) => status === 401)} has another WAKE_UP_SECRET than .env.`, why, todo);
    }
    const others = answers
      .filter(({ status }) => status !== 202)
      .map(({ name, status }) => `${name} ${status}`);
    return others.length === 0 ? fine() : unknown(`Unexpected answers: ${others.join(", ")}.`);
  },
};

/** What the console sends to see whether the address works: its test channel and uid. */
function testEvent(deps: DoctorDeps): string {
  const at = deps.now();
  return JSON.stringify({
    noticeId: deps.newId().replaceAll("-", ""),
    productId: 3,
    eventType: 40,
    notifyMs: at,
    payload: {
      cname: "test_webhook",
      uid: "12121212",
      sid: "0".repeat(32),
      sequence: 0,
      sendts: at,
      serviceType: 0,
      details: { msgName: "recorder_started", status: 0 },
    },
  });
}

const events: Check = {
  id: "supabase.agora_events",
  title:
    "agora-events passes the console's health check, takes what Agora signed and refuses what it did not",
  needs: ["supabase.functions", "environment.webhook"],
  async run(deps) {
    const [secret = ""] = webhookSecrets(deps.environment);
    const body = testEvent(deps);
    const send = (signature: string | undefined) =>
      ask(deps, "/functions/v1/agora-events", {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(signature === undefined ? {} : { "Agora-Signature-V2": signature }),
        },
        body,
      });
    const why =
      "Events of Agora are refused or believed from anybody: recordings notice starts and ends only by asking.";
    const todo = `${DEPLOY} (its step secrets), or ${SECRETS_PAGE}: AGORA_WEBHOOK_SECRET must be the Secret of Agora console, Projects, the project, Notifications, Cloud Recording. The same here: ${setting("AGORA_WEBHOOK_SECRET")}`;
    const startedAt = deps.now();
    const signed = await send(createHmac("sha256", secret).update(body).digest("hex"));
    if (signed.status === 401)
      return wrong("agora-events has another AGORA_WEBHOOK_SECRET than .env.", why, todo);
    if (signed.status !== 200 || Object.keys(jsonOf(signed.text)).length === 0) {
      return wrong(
        `agora-events answered ${signed.status}; the console's health check wants 200 and JSON.`,
        "The console does not save an address that fails its check.",
        "See Supabase dashboard, Edge Functions, agora-events, Logs.",
      );
    }
    if (deps.now() - startedAt > TIMEOUT_MS)
      return unknown("It answered after more than 10 s, which Agora calls a failure (590).");
    const unsigned = await send(undefined);
    if (unsigned.status === 200) {
      return wrong(
        "agora-events has no AGORA_WEBHOOK_SECRET yet: it answers everybody and believes nobody.",
        why,
        todo,
      );
    }
    return unsigned.status === 401
      ? fine()
      : unknown(`An event without a signature was answered ${unsigned.status}.`);
  },
};

const realtime: Check = {
  id: "supabase.realtime",
  title: "Realtime keeps strangers out of a call's channel",
  needs: ["supabase.reachable", "supabase.publishable_key"],
  async run(deps) {
    const ended = await deps.joinAsStranger(projectUrl(deps), publishable(deps), `call:${deps.newId()}`);
    return realtimeFinding(ended);
  },
};

function realtimeFinding(ended: "joined" | "refused" | "silent"): Finding {
  if (ended === "refused") return fine();
  if (ended === "silent") return unknown("Realtime did not answer in time.");
  return wrong(
    "Somebody who has not signed in joined the private channel of a call.",
    "Strangers see who records whom, as it happens.",
    "A policy on realtime.messages lets anon in: Supabase dashboard, Realtime, Policies; take it out. Ours are in supabase/migrations.",
  );
}

const clock: Check = {
  id: "supabase.clock",
  title: "This machine's clock agrees with the project's",
  needs: ["supabase.reachable"],
  run: (deps) => compareClock("the Supabase project", `${projectUrl(deps)}/auth/v1/health`, deps),
};

export const supabaseChecks: readonly Check[] = [
  reachable,
  publishableKey,
  schemas,
  functions,
  wakeUps,
  events,
  realtime,
  clock,
];
