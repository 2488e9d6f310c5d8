import type { ServerResponse } from "node:http";

/** One answer that the platform gives instead of the function. */
export interface PlatformAnswer {
  status: number;
  /** The header `sb-error-code`. */
  code: string;
  message: string;
}

/**
 * The answers of hosted's gateway and platform, from the pages on status codes and error codes.
 * A 401 carries its number as `code` in the body, all others the word.
 */
export const platformAnswers = {
  notFound: { status: 404, code: "NOT_FOUND", message: "Requested function was not found" },
  noAuthorization: {
    status: 401,
    code: "UNAUTHORIZED_NO_AUTH_HEADER",
    message: "Missing authorization header",
  },
  notAToken: { status: 401, code: "UNAUTHORIZED_INVALID_JWT_FORMAT", message: "Invalid JWT" },
  badLegacyToken: { status: 401, code: "UNAUTHORIZED_LEGACY_JWT", message: "Invalid JWT" },
  badAsymmetricToken: { status: 401, code: "UNAUTHORIZED_ASYMMETRIC_JWT", message: "Invalid JWT" },
  unknownAlgorithm: {
    status: 401,
    code: "UNAUTHORIZED_UNSUPPORTED_TOKEN_ALGORITHM",
    message: "Invalid JWT",
  },
  workerError: {
    status: 500,
    code: "WORKER_ERROR",
    message: "Function exited due to an error (please check logs)",
  },
  bootError: { status: 503, code: "BOOT_ERROR", message: "Function failed to start (please check logs)" },
  idleTimeout: { status: 504, code: "IDLE_TIMEOUT", message: "Request idle timeout limit (150s) reached" },
  workerLimit: {
    status: 546,
    code: "WORKER_LIMIT",
    message: "Function failed due to not having enough compute resources (please check logs)",
  },
} as const satisfies Record<string, PlatformAnswer>;

/** Sends a platform answer; when the function's own answer has begun already, cuts the connection instead. */
export function sendPlatformAnswer(response: ServerResponse, answer: PlatformAnswer): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const code = answer.status === 401 ? 401 : answer.code;
  response.writeHead(answer.status, {
    "content-type": "application/json",
    "sb-error-code": answer.code,
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "sb-error-code",
  });
  response.end(JSON.stringify({ code, message: answer.message }));
}
