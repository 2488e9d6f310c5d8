import postgres from "postgres";
import { z } from "zod";
import type { DatabaseSession } from "./database-session.ts";
import { type Connections, type Outcome, type OutgoingRequest, sendRequest } from "./http-request.ts";
import type { NetSettings } from "./settings.ts";

/** The version we stand in for, as it stands in the application name and in the User-Agent. */
export const VERSION = "0.20.4";

const UNDEFINED_TABLE = "42P01";

const queueRow = z.object({
  id: z.string(),
  method: z
    .string()
    .transform((method) => method.toUpperCase())
    .pipe(z.enum(["GET", "POST", "DELETE"])),
  url: z.string(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  body: z.instanceof(Buffer).nullable(),
  // libcurl refuses a negative limit; in the real worker, too, that fails the whole pass, again and again.
  timeout: z.int().min(0, "A libcurl function was given a bad argument"),
});

type QueueRow = z.output<typeof queueRow>;

/** What one pass did. */
export interface PassResult {
  sent: number;
  failed: number;
  expired: number;
}

/** Whether this error of a pass only says that the extension is not there. */
export function isNotInstalled(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === UNDEFINED_TABLE;
}

/**
 * One pass, in one transaction: drops expired responses, takes up to a batch of requests by id, sends them all at the
 * same time, writes one response row each. The rows show when the slowest is done, and if we die before that, the
 * requests are still in the queue and are sent again.
 *
 * @throws the driver's error when the database fails or refuses; then nothing of the pass counts.
 */
export function makePass(
  session: DatabaseSession,
  settings: NetSettings,
  connections: Connections,
  stopped: AbortSignal,
): Promise<PassResult> {
  return session.transaction(async (transaction) => {
    const [expired, rows] = await Promise.all([
      dropExpired(transaction, settings),
      takeRequests(transaction, settings.batchSize),
    ]);
    const answers = await Promise.all(
      rows.map(async (row) => ({
        id: row.id,
        outcome: await sendRequest(requestOf(row), connections, stopped),
      })),
    );
    if (stopped.aborted) throw new Error("stopped in the middle of a pass: its requests stay in the queue");
    if (answers.length > 0) await writeResponses(transaction, answers);
    const failed = answers.filter(({ outcome }) => !outcome.ok || outcome.statusCode >= 400).length;
    return { sent: answers.length, failed, expired };
  });
}

async function dropExpired(transaction: postgres.Sql, settings: NetSettings): Promise<number> {
  const gone = await transaction`
    delete from net._http_response
    where ctid = any (array(
      select ctid from net._http_response
      where created < now() - make_interval(secs => ${settings.ttlSeconds})
      order by created
      limit ${settings.batchSize}
    ))`;
  return gone.count;
}

async function takeRequests(transaction: postgres.Sql, batchSize: number): Promise<QueueRow[]> {
  const rows = await transaction`
    with batch as (select id from net.http_request_queue order by id limit ${batchSize})
    delete from net.http_request_queue as queue
    using batch
    where queue.id = batch.id
    returning queue.id::text, queue.method::text, queue.url, queue.body, queue.timeout_milliseconds as timeout,
      coalesce((
        select jsonb_agg(jsonb_build_array(key, value)) from jsonb_each_text(queue.headers) where value is not null
      ), '[]') as headers`;
  return z.array(queueRow).parse([...rows]);
}

function requestOf({ method, url, headers, body, timeout }: QueueRow): OutgoingRequest {
  return {
    method,
    url,
    headers: [...headers, ["User-Agent", `pg_net/${VERSION}`]],
    body,
    timeoutMs: timeout,
  };
}

async function writeResponses(
  transaction: postgres.Sql,
  answers: { id: string; outcome: Outcome }[],
): Promise<void> {
  const rows = answers.map(({ id, outcome }) =>
    outcome.ok
      ? {
          id,
          status_code: outcome.statusCode,
          content_type: outcome.contentType,
          headers: outcome.headers,
          content: outcome.content,
          timed_out: false,
          error_msg: null,
        }
      : { id, timed_out: outcome.timedOut, error_msg: outcome.errorMessage },
  );
  await transaction`
    insert into net._http_response (id, status_code, content_type, headers, content, timed_out, error_msg)
    select id, status_code, content_type, headers, content, timed_out, error_msg
    from json_to_recordset(${JSON.stringify(rows)}::text::json) as answer (
      id bigint, status_code integer, content_type text, headers jsonb, content text, timed_out boolean, error_msg text
    )`;
}
