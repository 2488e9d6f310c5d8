import http from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { type CallSite, siteAt } from "./call-sites.ts";

/** One request of run-control's process to a backend, as the proxy understood it. */
export interface Exchange {
  /** `work`, `report task.gone`, `acquire`, `stop` … */
  call: string;
  path: string;
  /** When it arrived, ms since 1970. */
  at: number;
  /** The awaited call of a handler that it was made for; undefined for requests of the drain itself. */
  site: string | undefined;
  /** The call's channel; undefined for what concerns none or several. */
  channel: string | undefined;
  /** Jobs whose results a `work` brings, and those its answer hands out. */
  finishes: JobRef[];
  claims: JobRef[];
}

export interface JobRef {
  channel: string;
  kind: string;
}

/** What a test may do with a request. A hook that never resolves holds the request until the process is dead. */
export interface Hooks {
  /** Before it is forwarded. */
  before?(exchange: Exchange, body: string): Promise<Scripted | undefined>;
  /** After the backend has answered, before the answer is passed on. */
  after?(exchange: Exchange): Promise<void>;
}

/** An answer in the backend's place, a connection that breaks before or after the backend, another body. */
export type Scripted = { status: number; body: unknown } | "lose" | "lose reply" | { rewritten: string };

export interface RecordingProxy {
  /** Stands in the function's environment for the gateway and the engine. */
  url: string;
  hooks: Hooks;
  /** Every exchange that came with an awaited call, in the order of arrival. */
  seen: Exchange[];
  /** Whether a backend other than the bucket is at work on a request (of this call) that was let through, also for a process that is dead. */
  isUnderWay(call?: string): boolean;
  close(): Promise<void>;
}

const workAnswer = z.object({
  jobs: z.array(
    z.object({
      id: z.number(),
      kind: z.string(),
      recording: z.object({ id: z.string(), channel: z.string() }),
      tasks: z.array(
        z.object({ id: z.string(), resource_id: z.string().nullable(), sid: z.string().nullable() }),
      ),
      events: z.array(z.object({ notice_id: z.string() })).nullable(),
    }),
  ),
});
const workRequest = z.object({ p_finished: z.array(z.object({ id: z.number() })) });
const namesItsTask = z.object({
  id: z.string().optional(),
  resourceId: z.string().optional(),
  sid: z.string().optional(),
});

/**
 * Stands between one function's process and its backends on 127.0.0.1: passes every request on and its answer back, tells the
 * hooks of both moments, and works out which call it belongs to from the ids that went through it before.
 */
export async function startRecordingProxy(
  backends: { gateway: string; engine: string; bucket: string },
  sites: readonly CallSite[],
): Promise<RecordingProxy> {
  const channelOf = new Map<string, string>();
  const jobs = new Map<number, JobRef>();
  const seen: Exchange[] = [];
  const hooks: Hooks = {};
  const underWay = new Set<Exchange>();

  const learn = (channel: string, ids: (string | null | undefined)[]) => {
    for (const id of ids) if (id) channelOf.set(id, channel);
  };

  function understand(path: string, headers: http.IncomingHttpHeaders, body: string): Exchange {
    const place = /^([a-z-]+\.ts):(\d+):(\d+)$/.exec(String(headers["x-awaited-at"] ?? ""));
    const [, file, line, column] = place ?? [];
    const site =
      file === undefined
        ? undefined
        : (siteAt(sites, { file, line: Number(line), column: Number(column) })?.name ??
          `${place?.[0]}, no call`);
    const rpc = /^\/rest\/v1\/rpc\/([a-z_]+)/.exec(path)?.[1];
    const verb = /\/cloud_recording\/(?:.*\/)?([a-zA-Z]+)$/.exec(path)?.[1];
    const event = /"p_event":"([a-z.]+)"/.exec(body)?.[1];
    const call = [rpc ?? verb ?? path, ...(rpc === "report" && event ? [event] : [])].join(" ");
    const cname = /"cname":"([^"]+)"/.exec(body)?.[1];
    const named = [...`${decodeURIComponent(path)} ${body}`.matchAll(/[A-Za-z0-9_-]{16,}/g)].flatMap(
      ([id]) => channelOf.get(id) ?? [],
    );
    const finishes =
      rpc === "work"
        ? (workRequest.safeParse(JSON.parse(body)).data?.p_finished ?? []).flatMap(
            ({ id }) => jobs.get(id) ?? [],
          )
        : [];
    return {
      call,
      path,
      at: Date.now(),
      site,
      channel: rpc === "work" ? undefined : (cname ?? named[0]),
      finishes,
      claims: [],
    };
  }

  function learnFrom(exchange: Exchange, body: string): void {
    let json: unknown;
    try {
      json = JSON.parse(body);
    } catch {
      return;
    }
    const work = exchange.call === "work" ? workAnswer.safeParse(json).data : undefined;
    for (const { id, kind, recording, tasks, events } of work?.jobs ?? []) {
      const { channel } = recording;
      jobs.set(id, { channel, kind });
      exchange.claims.push({ channel, kind });
      learn(channel, [
        recording.id,
        // As it stands in the names of its files.
        recording.id.replaceAll("-", ""),
        ...tasks.flatMap((task) => [task.id, task.resource_id, task.sid]),
        ...(events ?? []).map(({ notice_id }) => notice_id),
      ]);
    }
    const task = namesItsTask.safeParse(json).data;
    if (exchange.channel !== undefined && task !== undefined) {
      learn(exchange.channel, [task.id, task.resourceId, task.sid]);
    }
  }

  function targetOf(path: string): string {
    if (/^\/(rest|functions)\/v1\//.test(path)) return backends.gateway;
    return path.startsWith("/v1/apps/") ? backends.engine : backends.bucket;
  }

  /** Notes that a backend is at work, whether or not somebody still waits for its answer. */
  async function noting<Answer>(exchange: Exchange, answer: Promise<Answer>): Promise<Answer> {
    underWay.add(exchange);
    return await answer.finally(() => underWay.delete(exchange));
  }

  async function pass(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const path = request.url ?? "/";
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    // What the engine uploads passes through here too, since it is told the same address of the bucket.
    const text = request.method === "PUT" ? "" : body.toString("utf8");
    const exchange = understand(path, request.headers, text);
    if (exchange.site !== undefined) seen.push(exchange);
    const scripted = await hooks.before?.(exchange, text);
    if (scripted === "lose") return void response.destroy();
    const target = targetOf(path);
    const answered = typeof scripted === "object" && "status" in scripted ? scripted : undefined;
    const sent =
      typeof scripted === "object" && "rewritten" in scripted ? Buffer.from(scripted.rewritten) : body;
    // Uploads are the engine's: they go on all the time, whoever lives.
    const note = target === backends.bucket ? <T>(_: Exchange, answer: Promise<T>) => answer : noting;
    const answer =
      answered === undefined
        ? await note(exchange, send(`${target}${path}`, request.method ?? "GET", request.headers, sent))
        : { status: answered.status, headers: jsonHeaders, body: Buffer.from(JSON.stringify(answered.body)) };
    if (request.method === "POST") learnFrom(exchange, answer.body.toString("utf8"));
    await hooks.after?.(exchange);
    if (scripted === "lose reply") return void response.destroy();
    if (response.destroyed) return;
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  }

  const server = http.createServer((request, response) => {
    // The other side may be dead by now, which is what this is for.
    pass(request, response).catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hooks,
    seen,
    isUnderWay: (call) => [...underWay].some((exchange) => call === undefined || exchange.call === call),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const jsonHeaders = { "content-type": "application/json" };
const connectionHeaders = ["connection", "keep-alive", "transfer-encoding", "content-length", "x-awaited-at"];

function send(
  url: string,
  method: string,
  headers: http.IncomingHttpHeaders,
  body: Buffer,
): Promise<{ status: number; headers: http.OutgoingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, {
      method,
      headers: { ...kept(headers), "content-length": body.length },
    });
    request.once("error", reject);
    request.once("response", (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.once("error", reject);
      answer.once("end", () =>
        resolve({
          status: answer.statusCode ?? 502,
          headers: kept(answer.headers),
          body: Buffer.concat(chunks),
        }),
      );
    });
    request.end(body);
  });
}

function kept(headers: http.IncomingHttpHeaders): http.OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !connectionHeaders.includes(name)));
}
