import { withSession } from "./session.ts";

/**
 * Gives the named secrets to Vault: creates what is missing, updates what differs, leaves the rest alone. The order
 * is that of `supabase db push`, which does it before the migrations.
 *
 * @param postgresUrl the database, as `postgres`.
 */
export async function upsertVaultSecrets(
  postgresUrl: string,
  secrets: Record<string, string>,
): Promise<void> {
  const names = Object.keys(secrets);
  if (names.length === 0) return;
  await withSession(postgresUrl, async (sql) => {
    const rows = await sql<{ id: string; name: string; decrypted_secret: string }[]>`
      select id, name, decrypted_secret from vault.decrypted_secrets where name in ${sql(names)}`;
    const stored = new Map(rows.map((row) => [row.name, row]));
    for (const [name, secret] of Object.entries(secrets)) {
      const row = stored.get(name);
      if (!row) await sql`select vault.create_secret(${secret}, ${name})`;
      else if (row.decrypted_secret !== secret) {
        await sql`select vault.update_secret(${row.id}::uuid, ${secret})`;
      }
    }
  });
}
