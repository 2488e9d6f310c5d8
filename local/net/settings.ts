import { z } from "zod";

/** What the pg_net stand-in is told. The numbers are pg_net's own settings; nobody but a test should change them. */
export const netSettings = z.object({
  /** Of the database it serves (the real one serves one database too), as the superuser. */
  databaseUrl: z.url({ protocol: /^postgres(ql)?$/ }),
  /** pg_net.batch_size: requests, and expired responses, of one pass. */
  batchSize: z.int().min(1).max(32_767).default(200),
  /** pg_net.ttl: how long a response row is kept, in seconds. */
  ttlSeconds: z.int().min(1).default(21_600),
  /** How long it rests after a pass, in ms. */
  restMs: z.int().min(0).default(1_000),
});

export type NetSettings = z.output<typeof netSettings>;
