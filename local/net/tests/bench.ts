/** What every test of the pg_net stand-in needs: a database with the extension, the worker, a target that listens. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import postgres from "postgres";
import { expect } from "vitest";
import type { Prepare, TestDatabase, TestServer } from "../../postgres/testing.ts";
import { type Log, quietLog, type RunningPart } from "../../stack/part.ts";
import { netSettings } from "../settings.ts";
import { startNet } from "../worker.ts";

/** Installs the extension the way migrations do: as postgres, which is no superuser. */
export const withPgNet: Prepare = async ({ postgresUrl }) => {
  const sql = postgres(postgresUrl, { max: 1, onnotice: () => undefined });
  await sql`create extension if not exists pg_net with schema extensions`;
  await sql.end();
};

export interface ResponseRow {
  id: string;
  status_code: number | null;
  content_type: string | null;
  headers: Record<string, string> | null;
  content: string | null;
  timed_out: boolean;
  error_msg: string | null;
}

export interface Bench {
  database: TestDatabase;
  /** As postgres. */
  sql: postgres.Sql;
  startWorker(
    settings?: { batchSize?: number; ttlSeconds?: number; restMs?: number },
    log?: Log,
  ): Promise<RunningPart>;
  /** The response rows that can be seen, by request id. */
  responses(): Promise<ResponseRow[]>;
  /** The response to a request, waited for. */
  responseTo(request: PromiseLike<{ id: string }[]>): Promise<ResponseRow>;
  close(): Promise<void>;
}

export async function openBench(server: TestServer): Promise<Bench> {
  const database = await server.createDatabase({ prepare: withPgNet });
  const sql = postgres(database.postgresUrl, { max: 4, onnotice: () => undefined });
  const workers: RunningPart[] = [];
  const responses = async () => [
    ...(await sql<ResponseRow[]>`
      select id::text, status_code, content_type, headers, content, timed_out, error_msg
      from net._http_response order by id`),
  ];
  return {
    database,
    sql,
    async startWorker(settings = {}, log = quietLog) {
      const worker = await startNet(netSettings.parse({ databaseUrl: database.adminUrl, ...settings }), log);
      workers.push(worker);
      return worker;
    },
    responses,
    async responseTo(request) {
      const [sent] = await request;
      return expect
        .poll(async () => (await responses()).find(({ id }) => id === sent?.id), {
          timeout: 30_000,
          interval: 20,
        })
        .toBeDefined()
        .then(async () => {
          const found = (await responses()).find(({ id }) => id === sent?.id);
          if (!found) throw new Error("the response row went away");
          return found;
        });
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
      await sql.end();
      await database.drop();
    },
  };
}

export interface Arrival {
  method: string;
  path: string;
  headers: http.IncomingHttpHeaders;
  rawHeaders: string[];
  body: string;
  /** performance.now() */
  at: number;
}

export interface Target {
  url: string;
  arrivals: Arrival[];
  /** Waits until so many requests have arrived. */
  arrived(count: number): Promise<Arrival[]>;
  close(): Promise<void>;
}

/** An HTTP server that notes what arrives. It answers 200 `ok` unless told otherwise. */
export async function openTarget(
  answer: (request: Arrival, response: http.ServerResponse) => void = (_, response) => response.end("ok"),
): Promise<Target> {
  const arrivals: Arrival[] = [];
  const server = http.createServer(async (request, response) => {
    const at = performance.now();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = "", url = "", headers, rawHeaders } = request;
    const arrival = { method, path: url, headers, rawHeaders, body: Buffer.concat(chunks).toString(), at };
    arrivals.push(arrival);
    answer(arrival, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    async arrived(count) {
      await expect
        .poll(() => arrivals.length, { timeout: 30_000, interval: 2 })
        .toBeGreaterThanOrEqual(count);
      return arrivals;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
