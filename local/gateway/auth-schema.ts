import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import postgres from "postgres";
import { z } from "zod";

const packageJson = z.object({ version: z.string() });

/**
 * Makes what the Auth server owns in a database (auth.users and its like, auth.uid() and its like, the notice about
 * changed schemas), as hosted projects have it. May be repeated; takes a few milliseconds where it is all there
 * for the installed version of @supabase/lite, which makes the tables.
 *
 * @param adminUrl the database as its superuser `supabase_admin`, with the roles and schemas of a hosted project
 */
export async function ensureAuthSchema(adminUrl: string): Promise<void> {
  const additions = await readFile(new URL("auth-schema.sql", import.meta.url), "utf8");
  const madeBy = `@supabase/lite ${await liteVersion()}, additions ${createHash("sha256").update(additions).digest("hex").slice(0, 12)}`;
  const sql = postgres(adminUrl, { max: 1, onnotice: () => undefined });
  try {
    const [there] = await sql<{ comment: string | null }[]>`
      select obj_description('auth'::regnamespace, 'pg_namespace') as comment`;
    if (there?.comment === madeBy) return;
    await makeLiteTables(adminUrl);
    await sql.begin(async (transaction) => {
      await transaction.unsafe(additions).simple();
      await transaction.unsafe(`comment on schema auth is '${madeBy}'`);
    });
  } finally {
    await sql.end();
  }
}

async function makeLiteTables(adminUrl: string): Promise<void> {
  // Takes a good part of a second to load, and most starts need neither.
  const [{ createLiteApp }, { createPostgresConnection }] = await Promise.all([
    import("./lite-app.ts"),
    import("@supabase/lite/postgres"),
  ]);
  const connection = createPostgresConnection({
    url: adminUrl,
    postgresOptions: { max: 1, onnotice: () => undefined },
  });
  try {
    const config = { auth: { enabled: true, jwt_secret: "unused: this app serves no request" } };
    await createLiteApp(connection, config, "auth").ensureSystemSchema();
  } finally {
    await connection.close();
  }
}

async function liteVersion(): Promise<string> {
  const file = new URL("../package.json", import.meta.resolve("@supabase/lite"));
  return packageJson.parse(JSON.parse(await readFile(file, "utf8"))).version;
}
