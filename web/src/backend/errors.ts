import * as z from "zod/mini";

export type Blame = "user" | "engine" | "storage" | "configuration" | "us";
export type Retry = "now" | "later" | "never";

/** Why a recording ended as it did: the column `error` of recordings, `recording_error` of calls. */
export const recordingError = z.object({
  code: z.string(),
  blame: z.enum(["user", "engine", "storage", "configuration", "us"]),
  retry: z.enum(["now", "later", "never"]),
  message: z.string(),
});
export type RecordingError = z.output<typeof recordingError>;

/** A refusal or failure as pages see it. `code` has a sentence and an action in texts/errors.ts. */
export class BackendError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  /** HTTP status, where an answer came. */
  readonly status: number | undefined;

  constructor(
    code: string,
    message: string,
    more: { hint?: string | undefined; status?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.name = "BackendError";
    this.code = code;
    this.hint = more.hint;
    this.status = more.status;
  }
}

const answered = z.object({
  code: z.nullish(z.string()),
  error_code: z.nullish(z.string()),
  message: z.nullish(z.string()),
  hint: z.nullish(z.string()),
  status: z.nullish(z.number()),
});

/** Codes that Auth and PostgREST have of their own, in our words. */
const translated: Readonly<Record<string, string>> = {
  "42501": "not_allowed",
  PGRST116: "not_found",
  PGRST301: "sign_in_required",
  PGRST302: "sign_in_required",
  PGRST303: "sign_in_required",
  invalid_credentials: "credentials_wrong",
  email_not_confirmed: "email_unconfirmed",
  over_request_rate_limit: "too_many_tries",
  over_email_send_rate_limit: "too_many_tries",
  refresh_token_not_found: "sign_in_required",
  refresh_token_already_used: "sign_in_required",
  session_expired: "sign_in_required",
  session_not_found: "sign_in_required",
};

const unreachable = /failed to fetch|networkerror|load failed|fetch failed|timed? ?out|err_network/i;

/** Turns whatever supabase-js gave or threw into one BackendError. `status` is the HTTP status where the caller knows it. */
export function asBackendError(thrown: unknown, status?: number): BackendError {
  if (thrown instanceof BackendError) return thrown;
  const read = answered.safeParse(thrown);
  const { code, error_code, message, hint } = read.success ? read.data : {};
  const answeredStatus = status ?? (read.success ? (read.data.status ?? undefined) : undefined);
  const text = message ?? (thrown instanceof Error ? thrown.message : String(thrown));
  const named = code || error_code || undefined;
  const more = { hint: hint ?? undefined, status: answeredStatus, cause: thrown };
  if (named !== undefined) {
    const ours = translated[named] ?? (/^[a-z][a-z0-9_]+$/.test(named) ? named : undefined);
    if (ours !== undefined) return new BackendError(ours, text, more);
  }
  const name = thrown instanceof Error ? thrown.name : "";
  if (
    unreachable.test(text) ||
    name === "AuthRetryableFetchError" ||
    name === "FunctionsFetchError" ||
    name === "TimeoutError"
  ) {
    return new BackendError("backend_unreachable", text, more);
  }
  if (answeredStatus === 401) return new BackendError("sign_in_required", text, more);
  if (answeredStatus === 403) return new BackendError("not_allowed", text, more);
  return new BackendError("unexpected_error", text, more);
}

const refusal = z.object({ code: z.string(), message: z.string() });

/** The error of `functions.invoke`: what the function answered, {code, message}, is read out of its response. */
export async function asFunctionError(thrown: unknown): Promise<BackendError> {
  const context = thrown instanceof Error && "context" in thrown ? thrown.context : undefined;
  if (!(context instanceof Response)) return asBackendError(thrown);
  const body = refusal.safeParse(
    await context
      .clone()
      .json()
      .catch(() => undefined),
  );
  if (body.success)
    return new BackendError(body.data.code, body.data.message, { status: context.status, cause: thrown });
  return asBackendError(thrown, context.status);
}

/** What came does not have the form that was agreed: two versions that do not fit. */
export function unreadable(what: string, cause: unknown): BackendError {
  return new BackendError("answer_unreadable", `${what} came in a form that this page does not know.`, {
    cause,
  });
}
