import { z } from "zod";

/** The only names of the platform's own namespace that the stack may hand in; hosted refuses secrets that begin so. */
const platformNames = new Set(["SUPABASE_URL", "SUPABASE_DB_URL", "SUPABASE_JWKS"]);

const environment = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,255}$/, "is not a name for a variable"), z.string())
  .refine((env) => env.SUPABASE_URL !== undefined, "SUPABASE_URL is missing")
  .superRefine((env, issues) => {
    for (const name of Object.keys(env)) {
      if (name.startsWith("SUPABASE_") && !platformNames.has(name)) {
        issues.addIssue({
          code: "custom",
          message: `${name}: names beginning with SUPABASE_ are the platform's own`,
        });
      }
    }
  });

/**
 * Settings of the functions runner. Sizes in MB of 1024 * 1024 bytes, times in seconds; the defaults are hosted's
 * limits (256 MB, 400 s of wall clock on a paid plan, 150 s until the first byte of the answer).
 */
export const functionsSettings = z.object({
  port: z.int().min(0).max(65_535),
  /** Absolute path of `supabase/functions`. */
  functionsDir: z.string().startsWith("/"),
  /** Absolute path of `supabase/config.toml`. */
  configFile: z.string().startsWith("/"),
  /** Deno's cache; kept between starts it makes them faster. */
  cacheDir: z.string().startsWith("/"),
  /** Given to every function: SUPABASE_URL, SUPABASE_DB_URL and the project's own secrets. */
  env: environment,
  jwtSecret: z.string().min(32),
  publishableKey: z.string().startsWith("sb_publishable_"),
  secretKey: z.string().startsWith("sb_secret_"),
  memoryMb: z.int().min(64).default(256),
  wallClockSeconds: z.number().positive().default(400),
  idleTimeoutSeconds: z.number().positive().default(150),
  /** How long a stop waits for answers and `waitUntil` work that is under way. */
  stopGraceSeconds: z.number().min(0).default(3),
});

export type FunctionsSettings = z.output<typeof functionsSettings>;
export type FunctionsSettingsInput = z.input<typeof functionsSettings>;
