import { isAbsolute } from "node:path";
import { z } from "zod";
import { callSettings } from "./calls/settings.ts";
import { scheduleRules } from "./fault-schedule.ts";
import { unconfirmedRules } from "./unconfirmed.ts";

const hex32 = z.string().regex(/^[0-9a-fA-F]{32}$/, "must be 32 hexadecimal characters");

/** True for a host that can only be this machine. `hostname` as `URL` gives it (IPv6 in brackets). */
export function isLoopbackHost(hostname: string): boolean {
  return (
    hostname === "localhost" || hostname === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  );
}

const loopbackUrl = z.url().refine((text) => isLoopbackHost(new URL(text).hostname), {
  message: "must be an address on this machine",
});

/** Settings of the recording service's stand-in. Times are named by their unit. */
export const agoraSettings = z.object({
  port: z.number().int().min(0).max(65_535).default(0),
  appId: hex32,
  appCertificate: hex32,
  customerId: z.string().min(1),
  customerSecret: z.string().min(1),
  webhook: z
    .object({
      url: loopbackUrl,
      secret: z.string().min(1),
      /** Agora waits 10 s for an answer. */
      timeoutMs: z.number().int().positive().default(10_000),
      /** Pauses before the three resends; Agora publishes only that the first is immediate and that they grow. */
      resendAfterMs: z.array(z.number().int().min(0)).default([0, 5_000, 30_000]),
    })
    .optional(),
  /** The real service cuts slices at 15 s. */
  sliceSeconds: z.number().positive().max(60).default(4),
  /** A new MP4 begins after this long; the real service says 2 h on one page, 3 h on another. */
  mp4Seconds: z.number().positive().default(7_200),
  maxConcurrentTasks: z.number().int().positive().default(50),
  requestsPerSecond: z.number().int().positive().default(10),
  resourceIdSeconds: z.number().positive().default(300),
  /** SigV4 region for endpoints whose host does not tell it (`s3.<region>.backblazeb2.com` does). */
  storageRegion: z.string().min(1),
  /** Pauses before an upload that met a transient error is tried again. */
  uploadRetryMs: z.array(z.number().int().min(0)).default([250, 1_000, 3_000]),
  /** From an accepted start until the recorder is in the channel. */
  joinMs: z.number().int().min(0).default(1_200),
  /** How long a task stays visible as "exited" (8) before it is gone. */
  exitMs: z.number().int().min(0).default(800),
  /** How long a task that moves to another server answers 404; the real one takes up to 90 s. */
  failoverMs: z.number().int().min(0).max(90_000).default(2_000),
  /** Period of event 33. */
  progressMs: z.number().int().positive().default(60_000),
  /** A synchronous stop answers 206/50 after this long. */
  slowStopMs: z.number().int().positive().default(20_000),
  /**
   * Whose media is recorded in channels that the control endpoint has not set otherwise. `synthetic`: a simulated picture, unless
   * somebody is joined to the channel at the media server; `calls`: what is published there and nothing else; `none`: nothing.
   */
  publishers: z.enum(["synthetic", "none", "calls"]).default("synthetic"),
  /** The media server of calls. */
  calls: callSettings.prefault({}),
  /** `prepared`: every slice is the same clip, and nothing is encoded; for more tasks at once than a machine can encode. */
  media: z.enum(["encoded", "prepared"]).default("encoded"),
  /** Which way the service goes where Agora's pages leave it open. */
  unconfirmed: unconfirmedRules.prefault({}),
  /** A reproducible run of trouble from the start on. */
  trouble: scheduleRules.optional(),
  /** Where running tasks and working files survive a kill; without it they live in a temporary folder. */
  stateDir: z.string().refine(isAbsolute, "must be an absolute path").optional(),
  /** Opens the control endpoint (`/_control/…`) to bearers of this token. */
  controlToken: z.string().min(16).optional(),
});

export type AgoraSettings = z.output<typeof agoraSettings>;
