import type { Answer } from "../answers.ts";
import type { Unconfirmed } from "../unconfirmed.ts";

/**
 * How well a refusal is known: on today's pages; on older ones, and not repeated; on the Chinese pages only; from
 * support tickets and public code; told nowhere, so both ways can be had (see unconfirmed.ts); or no refusal of Agora's
 * at all but a limit of this stand-in.
 */
export type Certainty = "documented" | "older" | "chinese" | "field" | "unconfirmed" | "stand-in";

/** What an accepted start comes to seconds later: event 1, or an exit without it. */
export interface LateRefusal {
  /** `details` of event 1; null where the recorder leaves without one. */
  event: { module: 0 | 1; errorCode: number } | null;
}

/** One thing that the service refuses. Its id is the title of the test that shows it. */
export interface RefusalRule {
  /** What is refused, as it reads after "refuses". */
  what: string;
  /** Agora's page and section, and how certain it is. */
  source: { page: string; certainty: Certainty };
  /** The exact answer, or what comes by event. */
  answer: Answer | ((variant: Unconfirmed) => Answer) | LateRefusal;
  /** For rules about a body alone: whether this one (parsed JSON) is to be refused. */
  refuses?: (body: unknown) => boolean;
  /** Never left out, not even by a test: what keeps this stand-in from reaching other machines. */
  isFence?: true;
}

export const pages = {
  statusCodes: "Cloud Recording, REST API, Response status codes",
  acquire: "Cloud Recording, REST API, Acquire",
  start: "Cloud Recording, REST API, Start",
  query: "Cloud Recording, REST API, Query",
  stop: "Cloud Recording, REST API, Stop",
  updateLayout: "Cloud Recording, REST API, Update layout",
  bestPractices: "Cloud Recording, Integration best practices",
  olderErrors: "Cloud Recording, Common errors (older page)",
  regionVendor: "Cloud Recording, Reference, Third-party storage regions",
  events: "Cloud Recording, Notifications, Event types",
  quota: "Cloud Recording, Quota (Chinese page)",
  tokens: "Agora, Deploy a token server, AccessToken2",
  tickets: "support tickets and public issues",
  none: "none: a limit of this stand-in",
} as const;

/** A rule's source. */
export const from = (page: keyof typeof pages, certainty: Certainty = "documented") => ({
  page: pages[page],
  certainty,
});

/** `{code, reason}` of the recording service. */
export const service = (status: number, code: number, reason: string): Answer => ({
  status,
  body: { code, reason },
});

/** What is said of a body that lacks its form. */
export const bodyFailed = service(400, 2, "post method api body check failed!");

/** `{message}` of the gateway in front of it. */
export const gateway = (status: number, message: string): Answer => ({ status, body: { message } });
