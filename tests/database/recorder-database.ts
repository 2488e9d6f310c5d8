/** A database with everything this project's migrations make, for tests that need several connections. */
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { prepareDatabase } from "../../local/postgres/prepare.ts";
import type { DatabaseUrls } from "../../local/postgres/testing.ts";
import { quietLog } from "../../local/stack/part.ts";

const MIGRATIONS = join(fileURLToPath(new URL("../../supabase/", import.meta.url)), "migrations");

/** Migrations and the Vault secrets that a wake-up needs; nobody listens where the wake-ups would go. */
export async function withMigrations({
  adminUrl,
  postgresUrl,
}: Pick<DatabaseUrls, "adminUrl" | "postgresUrl">) {
  await prepareDatabase({
    adminUrl,
    postgresUrl,
    migrationsDir: MIGRATIONS,
    vaultSecrets: {
      functions_url: "http://127.0.0.1:9/functions/v1",
      wake_up_secret: `whsec_${randomBytes(32).toString("base64")}`,
    },
    log: quietLog,
  });
}

/** Two people and what they have in common. */
export interface Pair {
  mentorshipId: string;
  mentorUserId: string;
  menteeUserId: string;
}

/** One connection, quiet about warnings. */
export function connect(url: string): postgres.Sql {
  return postgres(url, { max: 1, onnotice: () => undefined });
}

/** A mentor and a mentee with sign-ins and an active mentorship. */
export async function makePair(sql: postgres.Sql): Promise<Pair> {
  const pair = { mentorshipId: randomUUID(), mentorUserId: randomUUID(), menteeUserId: randomUUID() };
  const instructorId = randomUUID();
  const menteeId = randomUUID();
  for (const id of [pair.mentorUserId, pair.menteeUserId]) {
    await sql`
      insert into auth.users (instance_id, id, aud, role, email)
      values ('00000000-0000-0000-0000-000000000000', ${id}, 'authenticated', 'authenticated', ${`${id}@example.com`})`;
  }
  await sql`insert into public.instructors (id, user_id, name) values (${instructorId}, ${pair.mentorUserId}, 'Amara')`;
  await sql`insert into public.mentees (id, user_id, display_name) values (${menteeId}, ${pair.menteeUserId}, 'Chidi')`;
  await sql`
    insert into public.mentorships (id, instructor_id, mentee_id)
    values (${pair.mentorshipId}, ${instructorId}, ${menteeId})`;
  return pair;
}

/** Who runs a statement: a signed-in user, or the service key. */
export type Who = { userId: string } | "service_role";

/** Runs one transaction as the REST server would for this person. */
export async function actAs<Answer>(
  sql: postgres.Sql,
  who: Who,
  work: (sql: postgres.TransactionSql) => Promise<Answer>,
): Promise<Answer> {
  const role = who === "service_role" ? who : "authenticated";
  const claims = who === "service_role" ? { role } : { sub: who.userId, role, aud: role, aal: "aal1" };
  const answer = await sql.begin(async (transaction) => {
    await transaction`select set_config('request.jwt.claims', ${JSON.stringify(claims)}, true), set_config('role', ${role}, true)`;
    return await work(transaction);
  });
  return answer as Answer;
}
