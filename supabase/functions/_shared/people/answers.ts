/**
 * Every page may ask: what counts is the token in the header, which no browser sends by itself, so there is nothing that
 * a list of origins would protect. The headers are those of supabase-js 2.119, and Range for players.
 */
const CORS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers":
    "authorization, x-client-info, apikey, content-type, x-retry-count, traceparent, tracestate, baggage, range",
  "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
  "Access-Control-Max-Age": "86400",
};

/** The answer to a browser that asks whether it may ask. */
export function answerPreflight(): Response {
  return new Response(null, { status: 204, headers: CORS });
}

/** An answer for this one person, which no cache may keep. */
export function answerOnce(body: unknown, headers: Record<string, string> = {}): Response {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return new Response(text, {
    headers: {
      ...CORS,
      "Content-Type": "application/json",
      "Cache-Control": "private, no-store",
      ...headers,
    },
  });
}

/** A refusal as all functions for people give it: {code, message}. */
export function refuse(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json(
    { code, message },
    { status, headers: { ...CORS, "Cache-Control": "no-store", ...headers } },
  );
}
