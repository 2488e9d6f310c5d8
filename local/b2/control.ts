import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import type { Faults } from "./faults.ts";
import { faultSchema, stormSchema } from "./faults.ts";
import type { LifecycleOutcome } from "./lifecycle-run.ts";
import type { RequestLog } from "./request-log.ts";

/** No bucket can have this name: underscores are not allowed in one. */
export const CONTROL_PREFIX = "/__control/";

/** What the control endpoint may reach of a running store. */
export interface Controlled {
  faults: Faults;
  requests: RequestLog;
  /** Does what the lifecycle rules ask for, as if it were that many days later. */
  runLifecycle(daysLater: number): LifecycleOutcome;
}

interface ControlAnswer {
  status: number;
  body: unknown;
}

const lifecycleBody = z.strictObject({ daysLater: z.number().min(0).default(0) });

/**
 * The control endpoint. Every request carries `Authorization: Bearer <controlToken>`; bodies are JSON.
 * `/__control/faults`: GET tells what is to come, the storm and what was met; POST adds a fault, or begins a storm
 * where the body has a seed; DELETE ends both. `/__control/requests`: GET tells uploads under way and broken off.
 * `/__control/lifecycle`: POST runs the rules, `daysLater` days from now.
 */
export async function control(
  request: IncomingMessage,
  path: string,
  controlled: Controlled,
  token: string,
): Promise<ControlAnswer> {
  if (!holdsToken(request.headers.authorization ?? "", token)) {
    return { status: 401, body: { error: "the control token is missing or wrong" } };
  }
  const call = `${request.method} ${path.slice(CONTROL_PREFIX.length)}`;
  const { faults, requests } = controlled;
  switch (call) {
    case "GET faults":
      return { status: 200, body: told(faults) };
    case "DELETE faults":
      faults.clear();
      return { status: 200, body: told(faults) };
    case "POST faults":
      return await addFault(request, faults);
    case "GET requests":
      return { status: 200, body: { underWay: requests.underWay(), brokenOff: requests.brokenOff() } };
    case "POST lifecycle": {
      const wanted = lifecycleBody.safeParse(await jsonOf(request));
      if (!wanted.success) return unfit("no such run", wanted.error);
      return { status: 200, body: controlled.runLifecycle(wanted.data.daysLater) };
    }
    default:
      return ["faults", "requests", "lifecycle"].includes(path.slice(CONTROL_PREFIX.length))
        ? { status: 405, body: { error: `${request.method} means nothing here` } }
        : { status: 404, body: { error: "there are faults, requests and lifecycle" } };
  }
}

function told(faults: Faults) {
  return { faults: faults.pending(), storm: faults.storm() ?? null, met: faults.met() };
}

async function addFault(request: IncomingMessage, faults: Faults): Promise<ControlAnswer> {
  const body = await jsonOf(request);
  if (typeof body === "object" && body !== null && "seed" in body) {
    const storm = stormSchema.safeParse(body);
    if (!storm.success) return unfit("no such storm", storm.error);
    faults.begin(storm.data);
  } else {
    const fault = faultSchema.safeParse(body);
    if (!fault.success) return unfit("no such fault", fault.error);
    faults.add(fault.data);
  }
  return { status: 201, body: told(faults) };
}

function unfit(error: string, { issues }: z.ZodError): ControlAnswer {
  return { status: 400, body: { error, issues } };
}

function holdsToken(header: string, token: string): boolean {
  const [given, expected] = [Buffer.from(header), Buffer.from(`Bearer ${token}`)];
  return given.length === expected.length && timingSafeEqual(given, expected);
}

async function jsonOf(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > 10_000) return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    // `undefined` fails the schema, whose answer names what was expected.
    return undefined;
  }
}
