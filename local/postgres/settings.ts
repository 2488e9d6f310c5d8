import { isAbsolute } from "node:path";
import { z } from "zod";

const absolutePath = z.string().refine(isAbsolute, "must be an absolute path");
const password = z.string().min(1);

/** What the Postgres part is told. Everything in `dataDir` survives a restart. */
export const postgresSettings = z.object({
  dataDir: absolutePath,
  /** TCP port on 127.0.0.1; 0 = any free one. */
  port: z.int().min(0).max(65_535),
  /** Of the bootstrap superuser `supabase_admin`; fixed when the data directory is made. */
  superuserPassword: password,
  /** Of `postgres`, the role that owns the project's own objects and is no superuser. */
  postgresPassword: password,
  /** Of `authenticator`, the role that the REST server signs in as. */
  authenticatorPassword: password,
  /**
   * Where server files and data go when the account that Postgres runs as cannot reach the project's folder
   * (only as root, or when node_modules is read-only). Default: the first of /var/tmp and the temporary folder
   * that it can reach.
   */
  runtimeDir: absolutePath.optional(),
  /** False trades crash safety for speed; for throw-away test databases only. */
  durable: z.boolean().default(true),
});

export type PostgresSettings = z.output<typeof postgresSettings>;
