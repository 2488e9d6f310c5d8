import { App, type Connection } from "@supabase/lite";

/** The part of lite's configuration that is used here; lite fills in the rest, with the CLI's defaults. */
export interface LiteConfig {
  api?: { schemas: string[]; extra_search_path: string[]; max_rows: number; pg_safe_update: boolean };
  auth: {
    enabled: boolean;
    jwt_secret: string;
    publishable_key?: string;
    secret_key?: string;
    jwt_expiry?: number;
    email?: { enable_signup: boolean; enable_confirmations: boolean };
  };
}

type ConfiguredApp = ConstructorParameters<typeof App>[0];
export type LiteApp = App<ConfiguredApp>;

/** What is used of the request context that lite hands to its middlewares. */
interface MiddlewareContext {
  set(name: "userId" | "sessionId", value: string): void;
}

/**
 * lite's App without its extras: no studio, and no admin mode, which would serve keyless local requests as service_role.
 *
 * @param serves an app for REST takes tokens as PostgREST does, by their signature alone. lite would look up their user
 *   and session in schema auth first, unless both are known already; a request's claims replace these two afterwards.
 */
export function createLiteApp(connection: Connection, config: LiteConfig, serves: "auth" | "rest"): LiteApp {
  const withoutLookUp = async (context: MiddlewareContext, next: () => Promise<void>) => {
    context.set("userId", "unknown");
    context.set("sessionId", "unknown");
    await next();
  };
  const options = {
    server: {
      admin: false,
      disableStudio: true,
      disableFallback: true,
      ...(serves === "rest" ? { middlewares: [withoutLookUp] } : {}),
    },
  };
  // Its type asks for the configuration after the defaults were filled in, its constructor for the one before.
  return new App({ connection, ...config, options } as unknown as ConfiguredApp);
}
