import { createHash, timingSafeEqual } from "node:crypto";
import { asRecorderError } from "../errors.ts";
import type { RecorderDatabase } from "../jobs/database.ts";
import type { Health } from "../jobs/health-calls.ts";
import type { SendWakeUps } from "../jobs/send-wake-up.ts";
import type { Log } from "../log.ts";
import { familiesOf } from "./families.ts";
import {
  OPENMETRICS_TYPE,
  openMetricsText,
  PROMETHEUS_TYPE,
  prometheusText,
  wantsPrometheusText,
} from "./openmetrics.ts";

/** One process asks the database at most once in this time, whoever asks it, ms. */
const REST_MS = 5_000;

export interface HealthDeps {
  /** What opens details and metrics; empty: nobody sees them. Throws RecorderFailure `setting_invalid`. */
  secrets(): string[];
  database(): Pick<RecorderDatabase, "readHealth" | "readMetrics">;
  /** Wakes lanes that Postgres does not wake, behind the answer. */
  sendWakeUps: SendWakeUps;
  waitUntil(work: Promise<unknown>): void;
  log: Log;
  /** Milliseconds since 1970. */
  now(): number;
}

/**
 * Answers monitors. `/health` (GET, HEAD): 200 while every check is green, else 503, with `{"status": "green" | "red"}`;
 * who sends the secret as a bearer sees the checks too. `/health/metrics` (GET): OpenMetrics text, or Prometheus'
 * older one for who accepts no other; 401 without the secret. 503 where the database does not answer, 404, 405. The first question in 5 s goes to the database and
 * wakes, behind the answer, the lanes that nobody else wakes; others in this time get its answer: strangers
 * cannot turn their requests into work.
 */
export function createHealthAnswerer(deps: HealthDeps): (request: Request) => Promise<Response> {
  let asked: { atMs: number; health: Promise<Health | undefined> } | undefined;

  async function ask(): Promise<Health | undefined> {
    try {
      const health = await deps.database().readHealth();
      if (health.lanes_to_wake.length > 0) deps.waitUntil(deps.sendWakeUps(health.lanes_to_wake));
      return health;
    } catch (error) {
      deps.log("health.unknown", { reason: asRecorderError(error).detail });
      return undefined;
    }
  }

  function health(): Promise<Health | undefined> {
    if (asked === undefined || deps.now() - asked.atMs >= REST_MS) {
      asked = { atMs: deps.now(), health: ask() };
    }
    return asked.health;
  }

  return async (request) => {
    const path = new URL(request.url).pathname.replace(/^(?:\/functions\/v1)?\/health(?=\/|$)/, "");
    const isMetrics = path === "/metrics";
    if (!isMetrics && path !== "" && path !== "/") return answer(404, { code: "not_found" });
    if (request.method !== "GET" && (request.method !== "HEAD" || isMetrics)) {
      return answer(405, { code: "method_not_allowed" }, { Allow: isMetrics ? "GET" : "GET, HEAD" });
    }
    const isTrusted = knowsSecret(request, deps);
    if (isMetrics)
      return isTrusted ? await metrics(request, deps) : answer(401, { code: "health_secret_required" });

    const told = await health();
    const isOk = told?.is_ok === true;
    const details = told === undefined ? [DATABASE_SILENT] : told.checks;
    return answer(isOk ? 200 : 503, {
      status: isOk ? "green" : "red",
      ...(isTrusted ? { checks: details } : {}),
    });
  };
}

const DATABASE_SILENT = {
  name: "database",
  is_ok: false,
  value: null,
  unit: "answers",
  threshold: 1,
  explanation: "The database did not answer the function; its log says why.",
};

async function metrics(request: Request, { database, log }: HealthDeps): Promise<Response> {
  try {
    const families = familiesOf(await database().readMetrics());
    const isOlder = wantsPrometheusText(request.headers.get("accept"));
    return new Response(isOlder ? prometheusText(families) : openMetricsText(families), {
      headers: {
        "Content-Type": isOlder ? PROMETHEUS_TYPE : OPENMETRICS_TYPE,
        "Cache-Control": "no-store",
        Vary: "Accept",
      },
    });
  } catch (error) {
    const { code, detail } = asRecorderError(error);
    log("metrics.failed", { code, detail });
    return answer(503, { code });
  }
}

function knowsSecret(request: Request, { secrets, log }: HealthDeps): boolean {
  const given = /^Bearer +(.*\S)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (given === undefined) return false;
  let known: string[] = [];
  try {
    known = secrets();
  } catch (error) {
    log("health.not_configured", { reason: asRecorderError(error).detail });
  }
  // All of them, and digests of one length: how long it takes tells nothing.
  return known.map((secret) => timingSafeEqual(digest(secret), digest(given))).includes(true);
}

const digest = (text: string) => createHash("sha256").update(text).digest();

function answer(status: number, body: object, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers: { "Cache-Control": "no-store", ...headers } });
}
