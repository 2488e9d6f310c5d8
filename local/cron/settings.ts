import { z } from "zod";

/** What the pg_cron stand-in is told. */
export const cronSettings = z.object({
  /** Of the database that holds the jobs, as the superuser: it runs each job as that job's own user. */
  databaseUrl: z.url({ protocol: /^postgres(ql)?$/ }),
});

export type CronSettings = z.output<typeof cronSettings>;
