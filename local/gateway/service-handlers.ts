import { type Log, reasonOf } from "../stack/part.ts";
import { withHostedClaims } from "./access-tokens.ts";
import { type RestError, restErrorFor } from "./database-errors.ts";
import type { LiteApp } from "./lite-app.ts";
import { type RequestScope, requestScope } from "./request-scope.ts";

/** What @hono/node-server tells about a request beside it. */
interface Bindings {
  incoming: { socket: { remoteAddress?: string | undefined } };
}
/** Auth's words for an error that is not the caller's, such as a database that is away. */
const unexpectedFailure = "Unexpected failure, please check server logs for more information";

type Handler = (request: Request, bindings: unknown) => Promise<Response>;

/**
 * Serves /rest/v1 by lite, and where the database refused answers by PostgREST's table instead of lite's, which leaves
 * out much of it (a plain `raise exception` would be a 500).
 */
export function createRestHandler(app: LiteApp, settings: { schemas: string[] }, log: Log): Handler {
  return async (request, bindings) => {
    // Lite looks a function up without its arguments, finds none that takes none, and a browser never asks further.
    if (request.method === "OPTIONS" && request.headers.has("access-control-request-method")) {
      return preflightAnswer(request);
    }
    const refusal = refusalOfBearer(request);
    if (refusal) return refusal;
    const scope = scopeOf(request, settings.schemas);
    const response = await requestScope.run(scope, () =>
      app.fetch(request, { peerAddress: peerOf(bindings) }),
    );
    if (response.status < 400 || scope.error === undefined) return response;
    const error = restErrorFor(scope.error, scope.role ?? "anon");
    log(
      `${request.method} ${scope.path} refused: ${error ? `${error.code} ${error.message}` : reasonOf(scope.error)}`,
    );
    if (!error) return response;
    // Where both agree lite's is the better one: it has rewritten names of its own SQL to those of the request.
    return error.status !== response.status || error.status === 500
      ? restResponse(error, response)
      : response;
  };
}

/** Serves /auth/v1 by lite, with hosted's claims in the tokens and for pages of other origins, which lite leaves out. */
export function createAuthHandler(app: LiteApp, jwtSecret: string, log: Log): Handler {
  return async (request, bindings) => {
    if (request.method === "OPTIONS") return preflightAnswer(request);
    const scope = scopeOf(request, []);
    const response = await requestScope.run(scope, () =>
      app.fetch(request, { peerAddress: peerOf(bindings) }),
    );
    if (response.status >= 500) log(`${request.method} ${scope.path} failed: ${reasonOf(scope.error)}`);
    const headers = withoutLength(response.headers);
    headers.set("access-control-allow-origin", "*");
    headers.set("access-control-expose-headers", "X-Total-Count, Link, X-Supabase-Api-Version");
    const isJson = headers.get("content-type")?.startsWith("application/json");
    if (!isJson) return new Response(response.body, { status: response.status, headers });
    const body: unknown = await response.json();
    const issuer = `${new URL(request.url).origin}/auth/v1`;
    const answered =
      response.status === 500
        ? { code: 500, error_code: "unexpected_failure", msg: unexpectedFailure }
        : await withHostedClaims(body, issuer, jwtSecret);
    return Response.json(answered, { status: response.status, headers });
  };
}

function preflightAnswer(request: Request): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "GET,POST,PATCH,PUT,DELETE",
      "access-control-allow-headers": request.headers.get("access-control-request-headers") ?? "",
      "access-control-max-age": "86400",
    },
  });
}

function scopeOf(request: Request, schemas: string[]): RequestScope {
  const reads = request.method === "GET" || request.method === "HEAD";
  const profile = request.headers.get(reads ? "accept-profile" : "content-profile");
  return {
    method: request.method,
    path: new URL(request.url).pathname.replace(/^\/rest\/v1/, "") || "/",
    headers: Object.fromEntries(request.headers),
    schema: profile ?? schemas[0] ?? "public",
  };
}

/** What lite would pass over and serve as anon: a bearer that is no token, or an API key other than the one in `apikey`. */
function refusalOfBearer(request: Request): Response | undefined {
  const bearer = /^Bearer\s+(.*)$/i.exec(request.headers.get("authorization") ?? "")?.[1]?.trim();
  const apiKey = request.headers.get("apikey") ?? new URL(request.url).searchParams.get("apikey");
  if (!bearer || !apiKey || bearer === apiKey || request.method === "OPTIONS") return undefined;
  const headers = { "access-control-allow-origin": "*" };
  if (bearer.startsWith("sb_"))
    return Response.json({ message: "Invalid API key" }, { status: 401, headers });
  const parts = bearer.split(".").filter((part) => part !== "").length;
  if (parts === 3) return undefined;
  const message = `Expected 3 parts in JWT; got ${parts}`;
  const error = { status: 401, code: "PGRST301", message, details: null, hint: null };
  return restResponse(error, new Response(null, { headers }));
}

function restResponse({ status, ...body }: RestError, instead: Response): Response {
  const headers = withoutLength(instead.headers);
  headers.set("content-type", "application/json; charset=utf-8");
  headers.set("proxy-status", `PostgREST; error=${body.code}`);
  return Response.json(body, { status, headers });
}

function withoutLength(headers: Headers): Headers {
  const kept = new Headers(headers);
  kept.delete("content-length");
  return kept;
}

function peerOf(bindings: unknown): string | null {
  return (bindings as Bindings).incoming.socket.remoteAddress ?? null;
}
