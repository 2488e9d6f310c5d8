import { z } from "zod";

/** What the Realtime stand-in is told at its start. Defaults are the hosted values; see the reference, section 4. */
export const realtimeSettings = z.object({
  /** 0 takes any free port. */
  port: z.number().int().min(0).max(65_535).default(0),
  /** The superuser's URL: it reads the log, switches roles for policy checks, and keeps the partitions. */
  databaseUrl: z.string().startsWith("postgres"),
  /** Secret of the project's HS256 tokens. */
  jwtSecret: z.string().min(32),
  publishableKey: z.string().startsWith("sb_publishable_"),
  secretKey: z.string().startsWith("sb_secret_"),
  /** A refused join is answered this late, which slows down clients that join in a loop. */
  joinErrorDelayMs: z.number().int().nonnegative().default(5_000),
  /** A refused connection is answered this late. */
  refusalDelayMs: z.number().int().nonnegative().default(2_000),
  /** A channel checks a new access token at once, but a further one within this time only when it is over. */
  accessTokenThrottleMs: z.number().int().nonnegative().default(300_000),
  /** A socket from which nothing came for this long is closed; clients beat every 25 s. */
  idleTimeoutMs: z.number().int().positive().default(60_000),
  /** Largest payload of one broadcast; 3,000 KB on paid plans, 256 KB on Free. */
  maxBroadcastBytes: z.number().int().positive().default(3_000_000),
  /** Presence messages of the whole project in a second; 20 on Free. */
  presenceMessagesPerSecond: z.number().int().positive().default(50),
  /** A channel may track and untrack so often in each window. */
  presenceCallsPerWindow: z.number().int().positive().default(5),
  presenceWindowMs: z.number().int().positive().default(30_000),
  maxChannelsPerConnection: z.number().int().positive().default(100),
});

export type RealtimeSettings = z.output<typeof realtimeSettings>;
/** The same before defaults are filled in, for callers that give only what they need. */
export type RealtimeSettingsInput = z.input<typeof realtimeSettings>;
