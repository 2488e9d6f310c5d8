import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Faults } from "./faults.ts";
import { faultSchema } from "./faults.ts";

/** No bucket can have this name: underscores are not allowed in one. */
export const CONTROL_PATH = "/__control/faults";

/**
 * The control endpoint of the fault switches: GET lists, POST adds one (JSON), DELETE clears. Every request carries
 * `Authorization: Bearer <controlToken>`.
 * @returns status and JSON of the answer.
 */
export async function control(
  request: IncomingMessage,
  faults: Faults,
  token: string,
): Promise<{ status: number; body: unknown }> {
  if (!holdsToken(request.headers.authorization ?? "", token)) {
    return { status: 401, body: { error: "the control token is missing or wrong" } };
  }
  switch (request.method) {
    case "GET":
      return { status: 200, body: { faults: faults.pending() } };
    case "DELETE":
      faults.clear();
      return { status: 200, body: { faults: [] } };
    case "POST": {
      const fault = faultSchema.safeParse(await jsonOf(request));
      if (!fault.success)
        return { status: 400, body: { error: "no such fault", issues: fault.error.issues } };
      faults.add(fault.data);
      return { status: 201, body: { faults: faults.pending() } };
    }
    default:
      return { status: 405, body: { error: "use GET, POST or DELETE" } };
  }
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
