/** Whose turn it is: the person, the engine (Agora), the store (B2), the configuration, or us. */
export type Blame = "user" | "engine" | "storage" | "configuration" | "us";

/** When trying again makes sense: at once, after a pause, or not before something is changed. */
export type Retry = "now" | "later" | "never";

/**
 * A refusal or failure as it travels through the system. `code` is a snake-case noun listed in docs/errors.md,
 * `message` is for people, `detail` stays in the engine room (schema recorder) and never reaches a client.
 */
export interface RecorderError {
  code: string;
  blame: Blame;
  retry: Retry;
  message: string;
  detail?: string;
  /** Milliseconds the other side asked us to wait (Retry-After). */
  retryAfterMs?: number;
}

/** What a code means: a room lists its own in a table of these. */
export type ErrorMeaning = Pick<RecorderError, "blame" | "retry" | "message">;

/** The RecorderError of this name in a room's table; `detail` is for the engine room and must hold no secret. */
export function errorOf<Code extends string>(
  table: Readonly<Record<Code, ErrorMeaning>>,
  code: Code,
  more: { detail?: string | undefined; retryAfterMs?: number | undefined } = {},
): RecorderError {
  return {
    code,
    ...table[code],
    ...(more.detail === undefined ? {} : { detail: more.detail }),
    ...(more.retryAfterMs === undefined ? {} : { retryAfterMs: more.retryAfterMs }),
  };
}

/** Carries a RecorderError through code that throws. */
export class RecorderFailure extends Error {
  readonly error: RecorderError;
  constructor(error: RecorderError, options?: { cause?: unknown }) {
    super(`${error.code}: ${error.message}`, options);
    this.name = "RecorderFailure";
    this.error = error;
  }
}

/** Turns whatever was thrown into one RecorderError; an unknown throw is ours to mend and worth another try. */
export function asRecorderError(thrown: unknown): RecorderError {
  if (thrown instanceof RecorderFailure) return thrown.error;
  const detail = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return {
    code: "unexpected_error",
    blame: "us",
    retry: "later",
    message: "Something went wrong on our side.",
    detail,
  };
}
