import { z } from "zod";
import type { SupabaseSettings } from "../config.ts";
import { RecorderFailure } from "../errors.ts";

const user = z.object({ id: z.uuid() });

/**
 * Asks Auth whose access token this is. Undefined when it is not accepted (wrong, expired, signed out); throws
 * `auth_unavailable` when Auth does not answer properly, for that says nothing about the token.
 */
export async function userOfToken(
  accessToken: string,
  settings: Pick<SupabaseSettings, "url" | "publishableKey">,
  deps: { fetch: typeof fetch },
): Promise<string | undefined> {
  const response = await deps.fetch(`${settings.url}/auth/v1/user`, {
    headers: { apikey: settings.publishableKey, Authorization: `Bearer ${accessToken}` },
    signal: AbortSignal.timeout(10_000),
  });
  if (response.status >= 400 && response.status < 500) {
    await response.body?.cancel();
    return undefined;
  }
  const parsed = response.ok ? user.safeParse(await response.json()) : undefined;
  if (parsed?.success) return parsed.data.id;
  throw new RecorderFailure({
    code: "auth_unavailable",
    blame: "us",
    retry: "later",
    message: "Sign-in could not be checked right now.",
    detail: `HTTP ${response.status}`,
  });
}
