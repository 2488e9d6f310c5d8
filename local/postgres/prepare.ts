import { ensureAuthSchema } from "../gateway/auth-schema.ts";
import { ensureRealtimeSchema } from "../realtime/schema.ts";
import type { Log } from "../stack/part.ts";
import { bootstrapDatabase } from "./bootstrap.ts";
import { migrate, seed } from "./migrate.ts";
import { upsertVaultSecrets } from "./vault-secrets.ts";

/** What a database is made ready from. */
export interface Preparation {
  /** The database, as supabase_admin. */
  adminUrl: string;
  /** The same database, as `postgres`. */
  postgresUrl: string;
  migrationsDir: string;
  /** Applied once in the life of the data directory. */
  seedFile?: string;
  /** By name; the values are Vault's from then on. */
  vaultSecrets: Record<string, string>;
  log: Log;
}

/**
 * Brings a database to the state in which the stack's parts can use it: roles and schemas of a hosted project, the
 * objects of Auth and Realtime, Vault's secrets, the project's migrations, its seed. Run at each start; what is there
 * is left alone.
 *
 * @throws what `migrate` throws, among others SqlFileError naming file and line.
 */
export async function prepareDatabase(preparation: Preparation): Promise<void> {
  const { adminUrl, postgresUrl, migrationsDir, seedFile, vaultSecrets, log } = preparation;
  await bootstrapDatabase(adminUrl);
  await ensureAuthSchema(adminUrl);
  await ensureRealtimeSchema(adminUrl);
  await upsertVaultSecrets(postgresUrl, vaultSecrets);
  const applied = await migrate(postgresUrl, migrationsDir, log);
  if (applied.length > 0) log(`migrations applied: ${applied.length}, the last is ${applied.at(-1)}`);
  if (seedFile !== undefined && (await seed(postgresUrl, seedFile, log))) log("applied the seed");
}
