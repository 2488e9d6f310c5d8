import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { SignJWT } from "jose";
import postgres from "postgres";
import {
  type DatabaseUrls,
  startTestServer,
  type TestDatabase,
  type TestServer,
} from "../../postgres/testing.ts";
import { type Log, quietLog } from "../../stack/part.ts";
import { ensureAuthSchema } from "../auth-schema.ts";
import { startGateway } from "../server.ts";
import { type GatewaySettingsInput, gatewaySettings } from "../settings.ts";

export const jwtSecret = "a-secret-of-at-least-32-characters-for-tests";
export const keys = { publishableKey: "sb_publishable_for_tests", secretKey: "sb_secret_for_tests" };

export interface LocalProject {
  url: string;
  server: TestServer;
  database: TestDatabase;
  /** As `postgres`, the role that migrations and seeds run as. */
  sql: postgres.Sql;
  admin: postgres.Sql;
  lines: string[];
  /** supabase-js with the publishable key, or another one, and a user's token where one is given. */
  client(options?: { key?: string; token?: string }): SupabaseClient;
  stop(): Promise<void>;
}

/** A gateway on a free port before this database; nobody listens where Realtime and the functions would be. */
export function gatewayBefore(
  database: Pick<DatabaseUrls, "adminUrl" | "authenticatorUrl">,
  changes: Partial<GatewaySettingsInput> = {},
  log: Log = quietLog,
): ReturnType<typeof startGateway> {
  return startGateway(
    gatewaySettings.parse({
      port: 0,
      databaseUrl: database.adminUrl,
      authenticatorUrl: database.authenticatorUrl,
      jwtSecret,
      ...keys,
      realtimeUrl: "http://127.0.0.1:9",
      functionsUrl: "http://127.0.0.1:9",
      ...changes,
    } satisfies GatewaySettingsInput),
    log,
  );
}

/** A database with Auth, the given SQL run by `postgres`, and a gateway before it. */
export async function localProject(
  migration = "",
  changes: Partial<GatewaySettingsInput> = {},
): Promise<LocalProject> {
  const server = await startTestServer();
  const database = await server.createDatabase({ prepare: ({ adminUrl }) => ensureAuthSchema(adminUrl) });
  const options = { max: 1, onnotice: () => undefined };
  const sql = postgres(database.postgresUrl, options);
  const admin = postgres(database.adminUrl, options);
  await sql
    .unsafe(migration)
    .simple()
    .catch(async (error: unknown) => {
      await Promise.all([sql.end(), admin.end()]);
      await server.stop();
      throw error;
    });
  const lines: string[] = [];
  const log: Log = (message, fields) => {
    lines.push(fields ? `${message} ${JSON.stringify(fields)}` : message);
    quietLog(message, fields);
  };
  const gateway = await gatewayBefore(database, changes, log);
  return {
    url: gateway.address,
    server,
    database,
    sql,
    admin,
    lines,
    client: ({ key = keys.publishableKey, token } = {}) =>
      createClient(gateway.address, key, {
        auth: { persistSession: false, autoRefreshToken: false },
        ...(token ? { global: { headers: { Authorization: `Bearer ${token}` } } } : {}),
      }),
    async stop() {
      await gateway.stop();
      await Promise.all([sql.end(), admin.end()]);
      await server.stop();
    },
  };
}

/** A token as the project's Auth server signs it. */
export function tokenFor(
  claims: Record<string, unknown> = {},
  { secret = jwtSecret, expiresIn = "1h" } = {},
): Promise<string> {
  return new SignJWT({ role: "authenticated", aud: "authenticated", ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuedAt()
    .setExpirationTime(expiresIn)
    .sign(new TextEncoder().encode(secret));
}
