import { z } from "zod";

/** Settings of the portal's part. */
export const portalSettings = z.object({
  port: z.int().min(0).max(65_535),
  /** The project's folder `web`. */
  sourceDir: z.string(),
  /** Where builds are kept, one folder for each state of the sources. */
  buildsDir: z.string(),
  supabaseUrl: z.url(),
  supabaseKey: z.string(),
  mediaUrls: z.array(z.url()),
  callTransport: z.enum(["agora", "local"]).optional(),
  callTransportUrl: z.url().optional(),
});

export type PortalSettings = z.output<typeof portalSettings>;
