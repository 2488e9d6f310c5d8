import type { ErrorMeaning } from "../errors.ts";

/** How a delivery of an event can end badly; listed in docs/errors.md. */
export const NOTIFY_ERRORS = {
  receiver_unreachable: {
    blame: "configuration",
    retry: "later",
    message: "The receiver of events cannot be reached.",
  },
  receiver_refused: {
    blame: "configuration",
    retry: "later",
    message: "The receiver of events did not take an event.",
  },
  receiver_redirects: {
    blame: "configuration",
    retry: "later",
    message: "The receiver of events sends us to another address, which is not followed.",
  },
  receiver_gone: {
    blame: "configuration",
    retry: "never",
    message: "The receiver of events wants no more of them (HTTP 410).",
  },
} as const satisfies Record<string, ErrorMeaning>;

export type NotifyErrorCode = keyof typeof NOTIFY_ERRORS;
