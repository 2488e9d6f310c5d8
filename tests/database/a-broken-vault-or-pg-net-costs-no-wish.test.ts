/** What only a superuser can break, and a real commit: wake-ups are sent by a deferred trigger. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prepareDatabase } from "../../local/postgres/prepare.ts";
import {
  type DatabaseUrls,
  type Prepare,
  startTestServer,
  type TestServer,
} from "../../local/postgres/testing.ts";
import { quietLog } from "../../local/stack/part.ts";

const SUPABASE = fileURLToPath(new URL("../../supabase/", import.meta.url));
const mentorshipId = "33000000-0000-4000-8000-000000000001";
const mentorId = "a0000000-0000-4000-8000-000000000001";

const withPeople: Prepare = ({ adminUrl, postgresUrl }) =>
  prepareDatabase({
    adminUrl,
    postgresUrl,
    migrationsDir: join(SUPABASE, "migrations"),
    seedFile: join(SUPABASE, "seed.sql"),
    vaultSecrets: {
      functions_url: "http://127.0.0.1:9/functions/v1",
      wake_up_secret: `whsec_${randomBytes(32).toString("base64")}`,
    },
    log: quietLog,
  });

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

interface Breakage {
  what: string;
  breakIt: string;
  mendIt: string;
  check: "vault" | "pg_net" | undefined;
  explanation: RegExp;
}

const breakages: Breakage[] = [
  {
    what: "pg_net is gone",
    breakIt: "alter schema net rename to net_gone",
    mendIt: "alter schema net_gone rename to net",
    check: "pg_net",
    explanation: /relation "net\.http_request_queue" does not exist/,
  },
  {
    what: "nobody may use pg_net",
    breakIt: "revoke execute on all functions in schema net from public",
    mendIt: "grant execute on all functions in schema net to public",
    check: "pg_net",
    explanation: /permission denied for function check_worker_is_up/,
  },
  {
    what: "pg_net does not take requests",
    breakIt: "alter table net.http_request_queue add constraint refused check (false)",
    mendIt: "alter table net.http_request_queue drop constraint refused",
    // Only a request shows it: the sweep's warnings and the age of the queue tell.
    check: undefined,
    explanation: /./,
  },
  {
    what: "Vault is gone",
    breakIt: "alter schema vault rename to vault_gone",
    mendIt: "alter schema vault_gone rename to vault",
    check: "vault",
    explanation: /functions_url cannot be read \(\w{5}\); wake_up_secret cannot be read \(\w{5}\)/,
  },
  {
    what: "Vault cannot decrypt",
    breakIt: "update vault.secrets set nonce = '\\x00' where name = 'wake_up_secret'",
    mendIt: `select vault.update_secret(id, new_secret => 'whsec_${"A".repeat(43)}=') from vault.secrets where name = 'wake_up_secret'`,
    check: "vault",
    explanation: /^wake_up_secret cannot be read \(\w{5}\)/,
  },
];

/** Runs statements as the seeded mentor, in one transaction that really commits. */
function asMentor<Row>(sql: postgres.Sql, act: (sql: postgres.TransactionSql) => Promise<Row>) {
  return sql.begin(async (transaction) => {
    const claims = JSON.stringify({ sub: mentorId, role: "authenticated", aud: "authenticated" });
    await transaction`select set_config('request.jwt.claims', ${claims}, true), set_config('role', 'authenticated', true)`;
    return act(transaction);
  });
}

async function wish(sql: postgres.Sql, callId: string, word: string): Promise<string | undefined> {
  const [row] = await asMentor(
    sql,
    (mine) =>
      mine<{ recording_status: string }[]>`
        update public.video_calls set recording_status = ${word} where id = ${callId} returning recording_status`,
  );
  return row?.recording_status;
}

const health = async (sql: postgres.Sql, name: string) =>
  (
    await sql.begin(async (mine) => {
      await mine`set local role recorder_admin`;
      return mine<{ is_ok: boolean; explanation: string }[]>`
        select is_ok, explanation from recorder.health where name = ${name}`;
    })
  )[0];

async function withDatabase(act: (sql: postgres.Sql, admin: postgres.Sql) => Promise<void>) {
  const database: DatabaseUrls & { drop(): Promise<void> } = await server.createDatabase({
    prepare: withPeople,
  });
  const sql = postgres(database.postgresUrl, { max: 1, onnotice: () => undefined });
  const admin = postgres(database.adminUrl, { max: 1, onnotice: () => undefined });
  try {
    await act(sql, admin);
  } finally {
    await Promise.all([sql.end(), admin.end()]);
    await database.drop();
  }
}

test.each(breakages)(
  "while $what, wishes are taken, health says so, and the sweep makes good for it",
  async (broken) => {
    await withDatabase(async (sql, admin) => {
      const [call] = await asMentor(
        sql,
        (mine) => mine<{ id: string }[]>`select id from public.join_call(${mentorshipId}::uuid)`,
      );
      const callId = String(call?.id);
      await admin.unsafe(broken.breakIt);

      expect(await wish(sql, callId, "starting")).toBe("starting");
      const jobs = () => sql`select kind, state from recorder.jobs where state = 'queued'`;
      expect([...(await jobs())]).toEqual([{ kind: "start", state: "queued" }]);
      if (broken.check !== undefined) {
        const row = await health(sql, broken.check);
        expect(row?.explanation).toMatch(broken.explanation);
        expect(row?.is_ok).toBe(false);
      }
      const [swept] = await sql<
        { woken: number }[]
      >`select (recorder.sweep() ->> 'woken_lanes')::integer as woken`;
      expect(swept?.woken).toBe(0);

      await admin.unsafe(broken.mendIt);
      await sql`update recorder.lanes set last_wake_at = '-infinity'`;
      const [again] = await sql<
        { woken: number }[]
      >`select (recorder.sweep() ->> 'woken_lanes')::integer as woken`;
      expect(again?.woken).toBe(1);
      expect(await sql`select from net.http_request_queue`).toHaveLength(1);
      expect(await wish(sql, callId, "stopping")).toBe("failed");
    });
  },
);

test("health answers all its checks while everything outside is broken", async () => {
  await withDatabase(async (sql, admin) => {
    await admin.unsafe(
      "alter schema net rename to a; alter schema vault rename to b; alter schema cron rename to c",
    );
    const rows = await sql<{ name: string; is_ok: boolean }[]>`select name, is_ok from recorder.health`;
    expect(rows.filter((row) => !row.is_ok).map((row) => row.name)).toEqual(["cron", "pg_net", "vault"]);
    expect(rows.length).toBeGreaterThan(10);
  });
});
