import { z } from "zod";
import { CatalogueUnavailable } from "./catalogue.ts";

/** PostgREST's error body with its status. */
export interface RestError {
  status: number;
  code: string;
  message: string;
  details: string | null;
  hint: string | null;
}

const databaseError = z.object({
  code: z.string(),
  message: z.string(),
  detail: z.string().nullish(),
  hint: z.string().nullish(),
});

/** The driver's words for a database that is not there or went away. */
const connectionCodes = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
]);
/** Postgres' own: it is shutting down, was ended, is not ready yet. */
const goingAway = new Set(["57P01", "57P02", "57P03"]);

/**
 * What PostgREST answers to an error of the database, by its published table of SQLSTATEs.
 *
 * @param role the role that the request ran as; a missing right is 401 to anon and 403 to all others
 * @returns undefined for what did not come from the database, and for SQLSTATE PGRST, whose answer the message holds
 */
export function restErrorFor(error: unknown, role: string): RestError | undefined {
  if (error instanceof CatalogueUnavailable) {
    return unavailable(
      "PGRST002",
      "Could not query the database for the schema cache. Retrying.",
      error.cause,
    );
  }
  const parsed = databaseError.safeParse(error);
  if (!parsed.success) return undefined;
  const { code, message, detail, hint } = parsed.data;
  if (connectionCodes.has(code) || goingAway.has(code)) {
    return unavailable("PGRST001", "Database client error. Retrying the connection.", error);
  }
  if (code === "PGRST" || !/^[0-9A-Z]{5}$/.test(code)) return undefined;
  return { status: statusOf(code, role), code, message, details: detail ?? null, hint: hint ?? null };
}

function unavailable(code: string, message: string, cause: unknown): RestError {
  return { status: 503, code, message, details: cause instanceof Error ? cause.message : null, hint: null };
}

function statusOf(code: string, role: string): number {
  if (/^PT\d{3}$/.test(code)) return Number(code.slice(2));
  const exact: Record<string, number> = {
    "42501": role === "anon" ? 401 : 403,
    "23503": 409,
    "23505": 409,
    "25006": 405,
    "42883": 404,
    "42P01": 404,
    "42P17": 500,
    "53400": 500,
    P0001: 400,
  };
  const byClass: Record<string, number> = {
    "08": 503,
    "09": 500,
    "0L": 403,
    "0P": 403,
    "25": 500,
    "28": 403,
    "2D": 500,
    "38": 500,
    "39": 500,
    "3B": 500,
    "40": 500,
    "53": 503,
    "54": 500,
    "55": 500,
    "57": 500,
    "58": 500,
    F0: 500,
    HV: 500,
    P0: 500,
    XX: 500,
  };
  return exact[code] ?? byClass[code.slice(0, 2)] ?? 400;
}
