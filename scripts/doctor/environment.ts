import { randomBytes } from "node:crypto";
import {
  alertWebhook,
  bucketSettings,
  callSettings,
  engineSettings,
  healthSecrets,
  notifySettings,
  playbackSettings,
  stagingSettings,
  wakeUpSecrets,
} from "../../supabase/functions/_shared/config.ts";
import { asRecorderError } from "../../supabase/functions/_shared/errors.ts";
import { type Check, type DoctorDeps, type Finding, fine, settingOf, wrong } from "./check.ts";
import { setting } from "./places.ts";

const HEX32 = /^[0-9a-fA-F]{32}$/;
/** Forms that Backblaze gives its keys; the master key's id is the account's, twelve digits. */
const B2_KEY_ID = /^00[0-9a-f]{23}$/;
const B2_APPLICATION_KEY = /^K\d{3}[A-Za-z0-9+/]{27}$/;

/** Says that these are missing, all in one finding; undefined where none is. */
function missing(deps: DoctorDeps, names: readonly string[], why: string): Finding | undefined {
  const absent = names.filter((name) => settingOf(deps, name) === undefined);
  if (absent.length === 0) return undefined;
  const verb = absent.length === 1 ? "is" : "are";
  return wrong(`${absent.join(", ")} ${verb} not set.`, why, absent.map(setting).join(" "));
}

/** Runs a reader of _shared/config.ts, whose complaints name the variable and its place. */
function readable(read: () => unknown, why: string, todo: (complaint: string) => string): Finding {
  try {
    read();
    return fine();
  } catch (thrown) {
    const complaint = asRecorderError(thrown).detail ?? "";
    // Where each is found is said once, behind "do".
    const what = complaint.replace(/; find it here: .*?(?=\. [A-Z][A-Z0-9_]+ is |$)/gs, "");
    return wrong(`${what}.`, why, todo(complaint));
  }
}

const agora: Check = {
  id: "environment.agora",
  title:
    "App ID, certificate, Customer ID and Customer Secret of Agora are set and each is what its name says",
  async run(deps) {
    const appIdName =
      settingOf(deps, "AGORA_APP_ID") === undefined &&
      settingOf(deps, "NEXT_PUBLIC_AGORA_APP_ID") !== undefined
        ? "NEXT_PUBLIC_AGORA_APP_ID"
        : "AGORA_APP_ID";
    const names = [appIdName, "AGORA_APP_CERTIFICATE", "AGORA_CUSTOMER_ID", "AGORA_CUSTOMER_SECRET"] as const;
    const absent = missing(
      deps,
      names,
      "Without all four nobody can join a call and no recorder can be asked for.",
    );
    if (absent !== undefined) return absent;
    const [appId, certificate, customerId, customerSecret] = names.map((name) => settingOf(deps, name));
    const mistaken =
      'Agora answers 401 "Invalid authentication credentials" then; a new certificate or another switch in the console does not change that.';
    if (customerId === appId || customerSecret === certificate) {
      const both = [
        ...(customerId === appId ? ["AGORA_CUSTOMER_ID holds the App ID"] : []),
        ...(customerSecret === certificate ? ["AGORA_CUSTOMER_SECRET holds the App Certificate"] : []),
      ];
      return wrong(
        `${both.join(" and ")}: the recording API wants a Customer ID and a Customer Secret, which are other values.`,
        mistaken,
        [
          customerId === appId ? setting("AGORA_CUSTOMER_ID") : "",
          customerSecret === certificate ? setting("AGORA_CUSTOMER_SECRET") : "",
        ]
          .filter(Boolean)
          .join(" "),
      );
    }
    if (customerId === certificate || customerSecret === appId) {
      return wrong(
        "AGORA_CUSTOMER_ID or AGORA_CUSTOMER_SECRET holds the App Certificate or the App ID.",
        mistaken,
        `${setting("AGORA_CUSTOMER_ID")} ${setting("AGORA_CUSTOMER_SECRET")}`,
      );
    }
    if (appId === certificate) {
      return wrong(
        `${appIdName} and AGORA_APP_CERTIFICATE hold the same value.`,
        "The tokens of callers and recorders are signed with the certificate: Agora refuses all of them.",
        `${setting(appIdName)} ${setting("AGORA_APP_CERTIFICATE")}`,
      );
    }
    const notHex = [appIdName, "AGORA_APP_CERTIFICATE"].filter(
      (name) => !HEX32.test(settingOf(deps, name) ?? ""),
    );
    if (notHex.length > 0) {
      return wrong(
        `${notHex.join(" and ")} must be 32 hexadecimal digits, and ${notHex.length === 1 ? "is" : "are"} not.`,
        "Tokens for callers and recorders cannot be made.",
        notHex.map(setting).join(" "),
      );
    }
    if (/[\s:]/.test(customerId ?? "") || /\s/.test(customerSecret ?? "")) {
      return wrong(
        "AGORA_CUSTOMER_ID or AGORA_CUSTOMER_SECRET holds a space or a colon: perhaps both were pasted into one.",
        mistaken,
        `${setting("AGORA_CUSTOMER_ID")} ${setting("AGORA_CUSTOMER_SECRET")}`,
      );
    }
    return readable(
      () => engineSettings(deps.environment),
      "No recorder can be asked for.",
      (complaint) => namesIn(complaint).map(setting).join(" "),
    );
  },
};

const webhook: Check = {
  id: "environment.webhook",
  title: "The secret of Agora's notifications is set",
  async run(deps) {
    if (settingOf(deps, "AGORA_WEBHOOK_SECRET") !== undefined) return fine();
    const project = settingOf(deps, "SUPABASE_URL")?.replace(/\/+$/, "") ?? "SUPABASE_URL";
    return wrong(
      "AGORA_WEBHOOK_SECRET is not set.",
      "Without it every event of Agora is passed over: recordings still work, but by asking, later and at the cost of requests.",
      `${setting("AGORA_WEBHOOK_SECRET")} The console shows it when the address is saved, which it checks: deploy first, then enter ${project}/functions/v1/agora-events as Receiving Server URL, Save, copy the Secret, deploy again.`,
    );
  },
};

const storage: Check = {
  id: "environment.storage",
  title: "Endpoint, bucket and keys of the storage are set and each is what its name says",
  async run(deps) {
    const names = [
      "BACKBLAZE_B2_ENDPOINT",
      "BACKBLAZE_B2_BUCKET_NAME",
      "BACKBLAZE_B2_ACCESS_KEY_ID",
      "BACKBLAZE_B2_SECRET_ACCESS_KEY",
    ];
    const absent = missing(deps, names, "Recordings have nowhere to go.");
    if (absent !== undefined) return absent;
    for (const use of ["", "INGEST_", "PLAYBACK_", "ADMIN_"]) {
      const problem = pairProblem(
        deps,
        `BACKBLAZE_B2_${use}ACCESS_KEY_ID`,
        `BACKBLAZE_B2_${use}SECRET_ACCESS_KEY`,
      );
      if (problem !== undefined) return problem;
    }
    return (
      endpointProblem(settingOf(deps, "BACKBLAZE_B2_ENDPOINT") ?? "") ??
      readable(
        () => bucketSettings(deps.environment, "storage"),
        "The functions refuse to work with the storage.",
        (complaint) => namesIn(complaint).map(setting).join(" "),
      )
    );
  },
};

function pairProblem(deps: DoctorDeps, idName: string, secretName: string): Finding | undefined {
  const [id, secret] = [settingOf(deps, idName), settingOf(deps, secretName)];
  if (id === undefined && secret === undefined) return undefined;
  const why = "The storage refuses every request that is signed with it.";
  const both = `${setting(idName)} ${setting(secretName)}`;
  if (id === undefined || secret === undefined) {
    const absent = id === undefined ? idName : secretName;
    return wrong(`${absent} is not set, but its other half is.`, why, setting(absent));
  }
  if (B2_APPLICATION_KEY.test(id) && !B2_APPLICATION_KEY.test(secret)) {
    return wrong(`${idName} and ${secretName} are swapped: the first holds an applicationKey.`, why, both);
  }
  if (/^[0-9a-f]{12}$/.test(id)) {
    return wrong(`${idName} is the master key's: it does not work with the S3 API.`, why, both);
  }
  if (B2_KEY_ID.test(secret)) {
    return wrong(`${secretName} holds a keyID, not an applicationKey.`, why, setting(secretName));
  }
  if (/\s/.test(id) || /\s/.test(secret))
    return wrong(`${idName} or ${secretName} holds a space.`, why, both);
  return undefined;
}

function endpointProblem(endpoint: string): Finding | undefined {
  const url = URL.parse(/^[a-z]+:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`);
  const why = "No request reaches the bucket, and Agora is told the same address.";
  const todo = setting("BACKBLAZE_B2_ENDPOINT");
  if (url === null) return wrong("BACKBLAZE_B2_ENDPOINT is no address.", why, todo);
  if (/^f\d+\.backblazeb2\.com$/.test(url.hostname)) {
    return wrong("BACKBLAZE_B2_ENDPOINT is the address of friendly URLs, not of the S3 API.", why, todo);
  }
  if (/^api\.?\d*\.backblazeb2\.com$/.test(url.hostname)) {
    return wrong("BACKBLAZE_B2_ENDPOINT is the address of the native API, not of the S3 API.", why, todo);
  }
  if (/^[^.]+\.s3\.[^.]+\.backblazeb2\.com$/.test(url.hostname)) {
    return wrong("BACKBLAZE_B2_ENDPOINT begins with the bucket's name: it begins with s3.", why, todo);
  }
  if (url.pathname !== "/" || url.search !== "") {
    return wrong("BACKBLAZE_B2_ENDPOINT has something behind the host: it ends there.", why, todo);
  }
  const isLoopback = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  if (url.protocol !== "https:" && !isLoopback) {
    return wrong("BACKBLAZE_B2_ENDPOINT must begin with https://.", why, todo);
  }
  return undefined;
}

const supabase: Check = {
  id: "environment.supabase",
  title: "Address and keys of the Supabase project are set and each is what its name says",
  async run(deps) {
    const names = ["SUPABASE_URL", "SUPABASE_PUBLISHABLE_KEY", "SUPABASE_SECRET_KEY", "SUPABASE_DB_URL"];
    const absent = missing(deps, names, "The doctor and a deploy cannot find the project.");
    if (absent !== undefined) return absent;
    const [url = "", publishable = "", secret = "", database = ""] = names.map((name) =>
      settingOf(deps, name),
    );
    return urlProblem(url) ?? keysProblem(publishable, secret) ?? databaseProblem(database) ?? fine();
  },
};

function urlProblem(text: string): Finding | undefined {
  const why = "Clients, functions and the database's wake-ups go to this address.";
  const todo = setting("SUPABASE_URL");
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    return wrong("SUPABASE_URL is no https address.", why, todo);
  if (/(^|\.)supabase\.com$/.test(url.hostname)) {
    return wrong("SUPABASE_URL is the address of the dashboard, not of the project.", why, todo);
  }
  if (/^db\./.test(url.hostname)) return wrong("SUPABASE_URL is the address of the database.", why, todo);
  if (url.pathname !== "/") return wrong("SUPABASE_URL has a path: it ends with the host.", why, todo);
  return undefined;
}

/** The role inside a legacy key, which is a JWT; nothing is verified, it is only looked at. */
function roleOfLegacyKey(key: string): string | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(key.split(".")[1] ?? "", "base64url").toString());
    return typeof claims === "object" && claims !== null && "role" in claims
      ? String(claims.role)
      : undefined;
  } catch {
    return undefined;
  }
}

function keysProblem(publishable: string, secret: string): Finding | undefined {
  const isSecret = (key: string) => key.startsWith("sb_secret_") || roleOfLegacyKey(key) === "service_role";
  const isPublishable = (key: string) => key.startsWith("sb_publishable_") || roleOfLegacyKey(key) === "anon";
  const both = `${setting("SUPABASE_PUBLISHABLE_KEY")} ${setting("SUPABASE_SECRET_KEY")}`;
  if (isSecret(publishable)) {
    return wrong(
      "SUPABASE_PUBLISHABLE_KEY holds a secret key.",
      "It is given to every browser, and opens everything past all policies. If it has been published, replace it (Supabase dashboard, Project Settings, API Keys).",
      both,
    );
  }
  const why = "Requests are refused, or made as somebody else.";
  if (!isPublishable(publishable)) {
    return wrong(
      "SUPABASE_PUBLISHABLE_KEY is no publishable key: it begins with sb_publishable_.",
      why,
      setting("SUPABASE_PUBLISHABLE_KEY"),
    );
  }
  if (!isSecret(secret)) {
    return wrong(
      "SUPABASE_SECRET_KEY is no secret key: it begins with sb_secret_.",
      why,
      setting("SUPABASE_SECRET_KEY"),
    );
  }
  return undefined;
}

function databaseProblem(text: string): Finding | undefined {
  const why = "Migrations, Vault, pg_net and the scheduler cannot be looked at, nor set.";
  const todo = setting("SUPABASE_DB_URL");
  const url = URL.parse(text);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    return wrong("SUPABASE_DB_URL is no address of a database: it begins with postgresql://.", why, todo);
  }
  if (/\[YOUR-PASSWORD\]/i.test(decodeURIComponent(text))) {
    return wrong("SUPABASE_DB_URL still has the place holder [YOUR-PASSWORD].", why, todo);
  }
  if (url.port === "6543") {
    return wrong(
      "SUPABASE_DB_URL is the transaction pooler's (port 6543), which keeps no session.",
      why,
      `${todo} Choose Session pooler or Direct connection there.`,
    );
  }
  return undefined;
}

/** Says which of the named settings nobody has to have; those that go together, together. */
function mayGo(complaints: string): string {
  const optional = namesIn(complaints).flatMap((name) =>
    name.startsWith("NOTIFY_WEBHOOK_")
      ? ["all NOTIFY_WEBHOOK_ variables"]
      : /^(?:ALERT_WEBHOOK_URL|HEALTH_SECRET)$/.test(name)
        ? [name]
        : [],
  );
  return optional.length === 0
    ? ""
    : ` Or take out of .env what nobody has to have: ${[...new Set(optional)].join(", ")}.`;
}

const ours: Check = {
  id: "environment.ours",
  title: "Our own secrets and addresses are set and well formed",
  async run(deps) {
    const complaints: string[] = [];
    for (const read of [
      wakeUpSecrets,
      playbackSettings,
      callSettings,
      notifySettings,
      alertWebhook,
      healthSecrets,
    ] as const) {
      const finding = readable(
        () => read(deps.environment),
        "",
        () => "",
      );
      if (finding.is === "wrong") complaints.push(finding.what);
    }
    if (complaints.length > 0) {
      const all = complaints.join(" ");
      return wrong(
        all,
        "The functions refuse to work while one of them is missing or malformed: wake-ups, playback, call tokens, alerts and health need them.",
        `${namesIn(all).map(setting).join(" ")}${mayGo(all)}`,
      );
    }
    const base = settingOf(deps, "PLAYBACK_BASE_URL") ?? "";
    if (!base.replace(/\/+$/, "").endsWith("/play-recording")) {
      return wrong(
        "PLAYBACK_BASE_URL does not end with /play-recording: it is the function's address.",
        "Every playlist address that is given out leads nowhere.",
        setting("PLAYBACK_BASE_URL"),
      );
    }
    return fine();
  },
  async fix(deps) {
    const project = settingOf(deps, "SUPABASE_URL")?.replace(/\/+$/, "");
    const made: Record<string, string | undefined> = {
      WAKE_UP_SECRET: `whsec_${randomBytes(32).toString("base64")}`,
      PLAYBACK_TOKEN_SECRET: randomBytes(32).toString("base64url"),
      PLAYBACK_BASE_URL: project === undefined ? undefined : `${project}/functions/v1/play-recording`,
      CALL_TRANSPORT: "agora",
    };
    const set: string[] = [];
    for (const [name, value] of Object.entries(made)) {
      // What is there and malformed may be somebody's: it is told, never replaced.
      if (value === undefined || settingOf(deps, name) !== undefined) continue;
      await deps.saveSetting(name, value);
      set.push(name);
    }
    return set.length === 0
      ? "nothing: what is set and malformed is never replaced; without its line in .env, --fix makes it"
      : `${set.join(", ")} in .env`;
  },
};

const staging: Check = {
  id: "environment.staging",
  title: "Staged mode is set completely or not at all",
  async run(deps) {
    return readable(
      () => stagingSettings(deps.environment, "storage") && stagingSettings(deps.environment, "ingest"),
      "The control lane refuses to start recordings while the staging store is named in part.",
      (complaint) => `${namesIn(complaint).map(setting).join(" ")} Or take all STAGING_S3_ variables out.`,
    );
  },
};

const portal: Check = {
  id: "environment.portal",
  title: "The portal's address is set",
  async run(deps) {
    const absent = missing(
      deps,
      ["PORTAL_URL"],
      "Sign-in sends people back to it, and the bucket lets only its pages play.",
    );
    if (absent !== undefined) return absent;
    const url = URL.parse(settingOf(deps, "PORTAL_URL") ?? "");
    const why = "Sign-in and playback in a browser need it.";
    if (url === null || !/^https?:$/.test(url.protocol)) {
      return wrong("PORTAL_URL is no address.", why, setting("PORTAL_URL"));
    }
    if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
      return wrong(
        "PORTAL_URL has something behind the host: the portal lies at the root of its host, and a bucket's rule names the host only.",
        why,
        setting("PORTAL_URL"),
      );
    }
    return fine();
  },
};

const namesIn = (text: string): string[] => [
  ...new Set(text.match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?= is )/g) ?? []),
];

export const environmentChecks: readonly Check[] = [agora, webhook, storage, supabase, ours, staging, portal];
