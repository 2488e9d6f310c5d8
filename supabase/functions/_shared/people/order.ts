import { z } from "zod";
import { readLimitedBody } from "../limited-body.ts";
import { refuse } from "./answers.ts";

/** An order is an id; nothing longer is read, from whoever it comes. */
const LONGEST_ORDER_BYTES = 4 * 1024;

/** Who orders something for which id. */
export interface Order {
  userId: string;
  id: string;
}

/**
 * Reads a POST of a signed-in person whose body is {[member]: id}. Gives the refusal where it is none: 401 without a
 * token that Auth accepts, 413 or 400 for the body; `missing` is the refusal of a body without the id. Auth is asked
 * last, so that nonsense costs nothing. Throws what `userOf` throws.
 */
export async function readOrder(
  request: Request,
  member: string,
  missing: () => Response,
  userOf: (accessToken: string) => Promise<string | undefined>,
): Promise<Order | Response> {
  const accessToken = /^Bearer\s+(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (accessToken === undefined) return refuse(401, "sign_in_required", "Sign in first.");
  const rawBody = await readLimitedBody(request, LONGEST_ORDER_BYTES);
  if (rawBody === undefined) return refuse(413, "body_not_json", "The body must be an id and nothing more.");
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(rawBody));
  } catch {
    return refuse(400, "body_not_json", `The body must be JSON: {"${member}": "…"}.`);
  }
  const parsed = z.object({ [member]: z.uuid() }).safeParse(body);
  const id = parsed.data?.[member];
  if (id === undefined) return missing();
  const userId = await userOf(accessToken);
  return userId === undefined ? refuse(401, "sign_in_required", "Sign in first.") : { userId, id };
}
