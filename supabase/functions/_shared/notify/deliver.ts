import { z } from "zod";
import { type AnyJob, done, type Outcome } from "../jobs/job.ts";
import { signStandardWebhook } from "../webhooks/standard-webhooks.ts";
import { afterFailure, postMessage } from "./post-message.ts";

/** What a delivery reaches the world through. */
export interface NotifyDeps {
  /** Where events go; undefined where nobody wants them. Throws RecorderFailure `setting_invalid`. */
  receiver(): { url: string; secret: string } | undefined;
  fetch: typeof fetch;
  now(): number;
  random(): number;
}

const event = z.object({
  /** The same for every try: the receiver drops what it has seen. */
  id: z.string(),
  type: z.string(),
  occurred_at: z.string(),
  data: z.record(z.string(), z.unknown()),
});

/**
 * Sends one event to the operator's address, signed by Standard Webhooks. Any 2xx is taken for "received"; 410 ends it
 * (the receiver's own word for "never again"), everything else is tried again after growing pauses, ten times over 75
 * hours. Where no receiver is configured there is nothing to do.
 */
export async function deliverEvent(job: AnyJob, deps: NotifyDeps): Promise<Outcome> {
  try {
    const receiver = deps.receiver();
    if (receiver === undefined) return done;
    await send(event.parse(job.payload), receiver, deps);
    return done;
  } catch (thrown) {
    return afterFailure(thrown, job, deps.random());
  }
}

async function send(
  { id, type, occurred_at, data }: z.output<typeof event>,
  { url, secret }: { url: string; secret: string },
  deps: NotifyDeps,
): Promise<void> {
  const body = new TextEncoder().encode(JSON.stringify({ type, timestamp: occurred_at, data }));
  const headers = signStandardWebhook({
    id,
    timestampSeconds: Math.floor(deps.now() / 1000),
    body,
    secret,
  });
  await postMessage(url, { headers: { ...headers, "content-type": "application/json" }, body }, deps);
}
