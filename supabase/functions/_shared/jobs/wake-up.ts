import { asRecorderError } from "../errors.ts";
import { readLimitedBody } from "../limited-body.ts";
import type { Log } from "../log.ts";
import { verifyStandardWebhook, type WebhookVerdict } from "../webhooks/standard-webhooks.ts";

/** A wake-up is a few dozen bytes; nothing longer is read. */
const LONGEST_BODY_BYTES = 1024;

export interface WakeUpDeps {
  /** Secrets that may have signed; read per request, so that a missing one is an answer and not a dead function. */
  secrets(): string[];
  now(): number;
  waitUntil(work: Promise<void>): void;
  /** Works off the lane; never rejects. */
  drain(): Promise<void>;
  log: Log;
}

/**
 * Answers a wake-up of the database: 202 at once, the work goes on behind it. Answers carry nothing worth reading,
 * because whoever has SQL rights can read pg_net's copies of them: 401 for a bad signature, 405, 413, 500 while the
 * secret is missing or malformed.
 */
export async function answerWakeUp(request: Request, deps: WakeUpDeps): Promise<Response> {
  if (request.method !== "POST") return new Response(null, { status: 405, headers: { Allow: "POST" } });
  const rawBody = await readLimitedBody(request, LONGEST_BODY_BYTES);
  if (rawBody === undefined) return new Response(null, { status: 413 });
  let verdict: WebhookVerdict;
  try {
    verdict = verifyStandardWebhook({
      headers: request.headers,
      rawBody,
      secrets: deps.secrets(),
      nowSeconds: Math.floor(deps.now() / 1000),
    });
  } catch (error) {
    deps.log("wake_up.not_configured", { reason: asRecorderError(error).detail });
    return new Response(null, { status: 500 });
  }
  if (!verdict.ok) {
    deps.log("wake_up.refused", { reason: verdict.reason });
    return new Response(null, { status: 401 });
  }
  deps.log("wake_up", { wake_up_id: verdict.id });
  deps.waitUntil(deps.drain());
  return new Response(null, { status: 202 });
}
