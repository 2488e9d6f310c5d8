import { z } from "zod";

/** Settings of the gateway, the local counterpart of a project's `https://<ref>.supabase.co`. */
export const gatewaySettings = z.object({
  port: z.int().min(0).max(65_535),
  /** As `supabase_admin`: for the catalogue and, after dropping to `supabase_auth_admin`, for Auth. */
  databaseUrl: z.string().startsWith("postgres"),
  /** As `authenticator`: every REST request runs over it, with the rights of the role it switches to. */
  authenticatorUrl: z.string().startsWith("postgres"),
  jwtSecret: z.string().min(32),
  publishableKey: z.string().startsWith("sb_publishable_"),
  secretKey: z.string().startsWith("sb_secret_"),
  realtimeUrl: z.url(),
  functionsUrl: z.url(),
  /** `[api] schemas` of config.toml; the first one is the default. */
  schemas: z.array(z.string()).min(1).default(["public", "graphql_public"]),
  /** Seconds that an access token lives. */
  jwtExpirySeconds: z.int().min(1).default(3600),
});

export type GatewaySettings = z.output<typeof gatewaySettings>;
export type GatewaySettingsInput = z.input<typeof gatewaySettings>;
