import {
  request as httpRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from "node:http";

/** How a forwarded request went: answered (wholly or broken off by the caller), no first byte in time, or the process went away. */
export type ForwardOutcome = "answered" | "idle" | "broken";

const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "te",
  "trailer",
  "upgrade",
]);

/**
 * Streams a request to a function's process and its answer back.
 *
 * @param path what the function sees: `/<name>/…` with the query
 * @param idleMs the longest time until the first byte of the answer
 */
export function forward(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  target: { port: number; path: string; idleMs: number },
): Promise<ForwardOutcome> {
  return new Promise((resolve) => {
    // A connection per request: a kept one may be closed by the other side just as it is used again.
    const upstream = httpRequest({
      host: "127.0.0.1",
      port: target.port,
      path: target.path,
      method: incoming.method,
      headers: forwardedHeaders(incoming),
      agent: false,
    });
    const idle = setTimeout(() => {
      resolve("idle");
      upstream.destroy();
    }, target.idleMs);
    const settle = (outcome: ForwardOutcome) => {
      clearTimeout(idle);
      resolve(outcome);
    };

    upstream.once("response", (answer) => {
      clearTimeout(idle);
      outgoing.writeHead(answer.statusCode ?? 502, answer.statusMessage, answerHeaders(incoming, answer));
      answer.pipe(outgoing);
      answer.once("close", () => settle(answer.complete ? "answered" : "broken"));
    });
    upstream.once("error", () => settle("broken"));
    outgoing.once("close", () => {
      if (outgoing.writableFinished) return;
      // The caller is gone: the function hears of it through its request's signal.
      settle("answered");
      upstream.destroy();
    });
    incoming.pipe(upstream);
  });
}

function forwardedHeaders(incoming: IncomingMessage): OutgoingHttpHeaders {
  const headers = withoutHopByHop(incoming.headers);
  headers["x-forwarded-for"] ??= incoming.socket.remoteAddress;
  headers["x-forwarded-proto"] ??= "http";
  headers["x-forwarded-host"] ??= incoming.headers.host;
  if (incoming.headers["transfer-encoding"] !== undefined) headers["transfer-encoding"] = "chunked";
  headers.connection = "close";
  return headers;
}

function answerHeaders(incoming: IncomingMessage, answer: IncomingMessage): OutgoingHttpHeaders {
  const headers = withoutHopByHop(answer.headers);
  const type = answer.headers["content-type"];
  // Hosted does so on its own domain, to keep web pages from being served there.
  if (incoming.method === "GET" && type?.startsWith("text/html")) {
    headers["content-type"] = type.replace("text/html", "text/plain");
  }
  return headers;
}

function withoutHopByHop(headers: IncomingMessage["headers"]): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name)));
}
