import type { Sql, TransactionSql } from "postgres";
import type { Claims } from "./tokens.ts";

/** What the policies on realtime.messages let the bearer of some claims read from one topic. */
export interface ReadRights {
  broadcast: boolean;
  presence: boolean;
}

/** What a client may write to a topic. */
export type Written = "broadcast" | "presence";

/** Who asks for which topic: everything that a policy can read. */
export interface Asker {
  topic: string;
  claims: Claims;
  /** Headers of the request that opened the connection, or of the HTTP call. */
  headers: Record<string, string>;
}

/** The database could not answer, for example because the role of the token does not exist. */
export class PolicyError extends Error {}

class Rollback extends Error {}

/**
 * May the asker read the topic? Two rows that are never committed are put into realtime.messages, and the policies
 * for SELECT say which of them the asker sees. A policy that fails denies. Throws PolicyError or a connection's error.
 */
export async function readRights(sql: Sql, asker: Asker, wantsPresence: boolean): Promise<ReadRights> {
  return rolledBack(sql, async (tx) => {
    const rows = await tx<{ id: string; extension: string }[]>`
      insert into realtime.messages (topic, extension)
      select ${asker.topic}, extension from unnest(${wantsPresence ? ["broadcast", "presence"] : ["broadcast"]}::text[]) extension
      returning id, extension`;
    await become(tx, asker);
    const seen = await tx<{ id: string }[]>`
      select id from realtime.messages where topic = ${asker.topic} and id = any(${rows.map((row) => row.id)}::uuid[])`;
    const seenIds = new Set(seen.map((row) => row.id));
    const seesRowOf = (extension: string) =>
      rows.some((row) => row.extension === extension && seenIds.has(row.id));
    return { broadcast: seesRowOf("broadcast"), presence: seesRowOf("presence") };
  });
}

/**
 * May the asker write this kind of message to the topic? Tries the INSERT in a transaction that is rolled back. Without RETURNING,
 * since that would ask the SELECT policies too. Throws PolicyError or a connection's error.
 */
export async function mayWrite(sql: Sql, asker: Asker, extension: Written): Promise<boolean> {
  return rolledBack(sql, async (tx) => {
    await become(tx, asker);
    try {
      await tx`insert into realtime.messages (topic, extension) values (${asker.topic}, ${extension})`;
      return true;
    } catch (error) {
      if (sqlState(error) === "42501") return false;
      throw error;
    }
  });
}

/** Switches the transaction to a subscriber's role and claims. */
export async function become(tx: TransactionSql, { topic, claims, headers }: Asker): Promise<void> {
  await tx`select
    set_config('role', ${claims.role}, true),
    set_config('realtime.topic', ${topic}, true),
    set_config('request.jwt.claims', ${JSON.stringify(claims)}, true),
    set_config('request.jwt.claim.sub', ${claims.sub ?? ""}, true),
    set_config('request.jwt.claim.role', ${claims.role}, true),
    set_config('request.headers', ${JSON.stringify(headers)}, true)`;
}

async function rolledBack<Answer>(sql: Sql, ask: (tx: TransactionSql) => Promise<Answer>): Promise<Answer> {
  let answer: { value: Answer } | undefined;
  try {
    await sql.begin(async (tx) => {
      answer = { value: await ask(tx) };
      throw new Rollback();
    });
  } catch (error) {
    if (!(error instanceof Rollback)) {
      if (sqlState(error) === undefined) throw error;
      throw new PolicyError(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }
  if (answer === undefined) throw new PolicyError("the database gave no answer");
  return answer.value;
}

/** The five-character SQLSTATE of what Postgres answered; undefined when it was not Postgres that failed. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  return /^[0-9A-Z]{5}$/.test(error.code) && "severity" in error ? error.code : undefined;
}
