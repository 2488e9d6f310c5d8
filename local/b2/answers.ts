import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { S3Error } from "./errors.ts";
import type { Answer } from "./exchange.ts";
import { xmlErrorDocument } from "./xml.ts";

/** Headers on everything B2's S3 API says. */
function commonHeaders(): Record<string, string> {
  return {
    "x-amz-request-id": randomBytes(8).toString("hex"),
    "x-amz-id-2": `a${randomBytes(24).toString("base64url")}`,
    "cache-control": "max-age=0, no-cache, no-store",
  };
}

/** Writes an answer and resolves when its last byte is handed over. The body of an answer to HEAD is left away. */
export async function writeAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
): Promise<void> {
  const { body } = answer;
  const headers = { ...commonHeaders(), ...answer.headers };
  if (typeof body === "object" && request.method !== "HEAD") {
    response.writeHead(answer.status, headers);
    for await (const chunk of body) {
      if (!response.write(chunk)) await drained(response);
    }
    response.end();
    return;
  }
  const text = typeof body === "string" ? body : "";
  const length =
    typeof body === "object" || answer.status === 204 || answer.status === 304 ? {} : lengthOf(text);
  response.writeHead(answer.status, { ...length, ...headers });
  response.end(text);
}

/** Resolves when more may be written. @throws when the reader hung up, which no `drain` would ever tell. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      response.off("drain", settle).off("close", settle);
      if (response.destroyed) reject(new Error("the reader hung up"));
      else resolve();
    };
    if (response.destroyed) settle();
    else response.on("drain", settle).on("close", settle);
  });
}

/**
 * Writes `<Error>` with status, code and message. HEAD gets the status alone, as HTTP demands: a 403 on HEAD cannot
 * be told from another.
 */
export function writeRefusal(
  request: IncomingMessage,
  response: ServerResponse,
  refusal: S3Error,
  resource: string,
): void {
  if (response.headersSent) {
    // The status is out already: only a broken connection can still say that the bytes are not complete.
    response.destroy();
    return;
  }
  const common = commonHeaders();
  const text = xmlErrorDocument([
    ["Code", refusal.code],
    ["Message", refusal.message],
    ...Object.entries(refusal.details),
    ["Resource", resource],
    ["RequestId", common["x-amz-request-id"] ?? ""],
  ]);
  response.writeHead(refusal.status, {
    ...common,
    "content-type": "application/xml",
    ...lengthOf(text),
    ...refusal.headers,
  });
  response.end(request.method === "HEAD" ? "" : text);
}

function lengthOf(text: string): Record<string, string> {
  return { "content-length": String(Buffer.byteLength(text)) };
}
