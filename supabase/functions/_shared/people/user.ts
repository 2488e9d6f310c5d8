import { z } from "zod";
import type { SupabaseSettings } from "../config.ts";
import { RecorderFailure } from "../errors.ts";

const user = z.object({ id: z.uuid() });

/** Auth says nothing about the token with these: it is busy. */
const BUSY: ReadonlySet<number> = new Set([408, 429]);

/**
 * Asks Auth whose access token this is. Undefined when it is not accepted (wrong, expired, signed out); throws
 * `auth_unavailable` when Auth does not answer properly, for that says nothing about the token.
 */
export async function userOfToken(
  accessToken: string,
  settings: Pick<SupabaseSettings, "url" | "publishableKey">,
  deps: { fetch: typeof fetch },
): Promise<string | undefined> {
  let response: Response;
  let body: unknown;
  try {
    response = await deps.fetch(`${settings.url}/auth/v1/user`, {
      headers: { apikey: settings.publishableKey, Authorization: `Bearer ${accessToken}` },
      redirect: "manual",
      signal: AbortSignal.timeout(10_000),
    });
    body = response.ok ? await response.json() : await response.body?.cancel();
  } catch (cause) {
    throw unavailable(cause instanceof Error ? cause.name : "no answer", cause);
  }
  if (response.status >= 400 && response.status < 500 && !BUSY.has(response.status)) return undefined;
  const parsed = user.safeParse(body);
  if (parsed.success) return parsed.data.id;
  throw unavailable(`HTTP ${response.status}`);
}

function unavailable(detail: string, cause?: unknown): RecorderFailure {
  return new RecorderFailure(
    {
      code: "auth_unavailable",
      blame: "us",
      retry: "later",
      message: "Sign-in could not be checked right now.",
      detail,
    },
    { cause },
  );
}
