import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { PostgresConnection } from "@supabase/lite/postgres";
import { createProxyServer } from "httpxy";
import { type Log, type RunningPart, reasonOf } from "../stack/part.ts";
import { answeredTypes } from "./answered-types.ts";
import { Catalogue } from "./catalogue.ts";
import { createLiteApp, type LiteConfig } from "./lite-app.ts";
import { muteLite } from "./request-scope.ts";
import { RestConnection } from "./rest-connection.ts";
import { createAuthHandler, createRestHandler } from "./service-handlers.ts";
import type { GatewaySettings } from "./settings.ts";

/**
 * A project's base URL on one machine: /rest/v1 and /auth/v1 are served here by @supabase/lite on Postgres, /realtime/v1 (with
 * WebSockets) and /functions/v1 go on to their own parts.
 *
 * What it does not do: Storage, GraphQL, MFA, OAuth but GitHub's and Google's, anonymous sign-in, auth.admin.*, sending mail (sign-up
 * is confirmed at once), rate limits, legacy JWTs as API keys (`sb_…` keys only), asymmetric signing keys, and of PostgREST
 * what lite's LIMITATIONS.md lists.
 */
export async function startGateway(
  settings: GatewaySettings,
  log: Log,
): Promise<RunningPart & { address: string }> {
  const catalogue = new Catalogue(settings.databaseUrl);
  const restConnection = new RestConnection(settings.authenticatorUrl, catalogue);
  const authConnection = new PostgresConnection({
    url: settings.databaseUrl,
    postgresOptions: {
      max: 4,
      backoff: () => 0.1,
      connect_timeout: 5,
      onnotice: () => undefined,
      types: answeredTypes,
      // As on hosted, the Auth server has no more rights than its role: a trigger on auth.users runs with these.
      connection: { role: "supabase_auth_admin" },
    },
  });
  const closeConnections = () =>
    Promise.all([
      catalogue.close(),
      restConnection.driver.end({ timeout: 1 }),
      authConnection.driver.end({ timeout: 1 }),
    ]);

  const proxies = {
    realtime: createProxyServer({ target: settings.realtimeUrl, ws: true, xfwd: true }),
    // The functions runner has hosted's own limit for the first byte; this one only must not come before it.
    functions: createProxyServer({ target: settings.functionsUrl, xfwd: true, proxyTimeout: 600_000 }),
  };
  for (const proxy of Object.values(proxies)) {
    proxy.on("error", (error, _request, response) => {
      log(`a part behind the gateway did not answer: ${reasonOf(error)}`);
      if (response) answerUnreachable(response);
    });
  }

  const unmute = muteLite();
  const config = liteConfig(settings);
  const rest = getRequestListener(
    createRestHandler(createLiteApp(restConnection, config, "rest"), settings, log),
  );
  const auth = getRequestListener(
    createAuthHandler(createLiteApp(authConnection, config, "auth"), settings.jwtSecret, log),
  );

  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    if (/^\/rest\/v1(\/|\?|$)/.test(path)) void rest(request, response);
    else if (path.startsWith("/auth/v1/")) void auth(request, response);
    else if (path.startsWith("/realtime/v1/")) void proxies.realtime.web(request, response);
    else if (path.startsWith("/functions/v1/")) void proxies.functions.web(request, response);
    else answerNoRoute(response);
  });
  server.requestTimeout = 0;
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (request.url?.startsWith("/realtime/v1/")) void proxies.realtime.ws(request, socket, {}, head);
    else socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n");
  });

  try {
    await catalogue.listen();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(settings.port, "127.0.0.1", resolve);
    });
  } catch (error) {
    unmute();
    await closeConnections();
    throw error;
  }

  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      unmute();
      await closeConnections();
    },
  };
}

function liteConfig(settings: GatewaySettings): LiteConfig {
  return {
    api: {
      schemas: settings.schemas,
      extra_search_path: ["public", "extensions"],
      max_rows: 1000,
      pg_safe_update: true,
    },
    auth: {
      enabled: true,
      jwt_secret: settings.jwtSecret,
      publishable_key: settings.publishableKey,
      secret_key: settings.secretKey,
      jwt_expiry: settings.jwtExpirySeconds,
      email: { enable_signup: true, enable_confirmations: false },
    },
  };
}

function answerNoRoute(response: ServerResponse): void {
  response.writeHead(404, { "content-type": "application/json", "access-control-allow-origin": "*" });
  response.end(JSON.stringify({ message: "no Route matched with those values" }));
}

function answerUnreachable(response: ServerResponse | Socket): void {
  if (!("writeHead" in response)) response.destroy();
  else if (response.headersSent) response.destroy();
  else {
    response.writeHead(503, { "content-type": "application/json", "access-control-allow-origin": "*" });
    response.end(JSON.stringify({ message: "name resolution failed" }));
  }
}
