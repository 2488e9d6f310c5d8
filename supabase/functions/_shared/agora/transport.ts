import { type After, timeLimit } from "../time-limit.ts";

/** The calls of the engine's API that we make. */
export type AgoraCall = "acquire" | "start" | "query" | "updateLayout" | "stop";

/** One HTTP exchange, for logs and metrics. Agora's support asks for the request id. Never holds a secret. */
export interface AgoraExchange {
  call: AgoraCall;
  host: string;
  /** 1 for the first try. */
  attempt: number;
  tookMs: number;
  httpStatus?: number;
  requestId?: string;
  /** Why no answer came. */
  lost?: string;
}

export interface AgoraDeps {
  fetch: typeof fetch;
  sleep(ms: number): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Told of every exchange, also of those that are repeated. */
  observe?(exchange: AgoraExchange): void;
  /** Timers, where they are not the platform's. */
  after?: After;
}

export interface AgoraAnswer {
  httpStatus: number;
  /** The JSON body; undefined when there was none or it was not JSON. */
  body: unknown;
  requestId: string | undefined;
  retryAfterMs: number | undefined;
}

/**
 * `isSent` is false where the request never left: then it has begun nothing. `isNameUnknown`: the host's name could not
 * be resolved.
 */
export type Delivery =
  | { kind: "answered"; answer: AgoraAnswer }
  | { kind: "lost"; reason: string; isSent: boolean; isNameUnknown: boolean };

export interface AgoraTransport {
  /** Sends one call; resolves also when no answer came. Only a `repeatable` call is tried again after that. */
  send(request: {
    call: AgoraCall;
    method: "GET" | "POST";
    path: string;
    body?: unknown;
    timeoutMs: number;
    repeatable: boolean;
    /** Ends the call, whatever it is waiting for. */
    signal?: AbortSignal | undefined;
  }): Promise<Delivery>;
}

/** Agora's advice for transport failures: the same host once more, then the other one, resting 1, 3 and 6 s. */
export const FAILOVER_PAUSES_MS: readonly number[] = [1_000, 3_000, 6_000];

/**
 * Place in the order of the other primary host. Where regional hosts follow it, Agora advises to leave it out unless it
 * was the name that could not be resolved: it shares the network of the first one.
 */
const OTHER_PRIMARY = 2;

/** Which base address each try uses: `first` twice, then every other one once. */
export function failoverOrder(apiUrls: readonly string[], first: number): string[] {
  const rotated = [...apiUrls.slice(first), ...apiUrls.slice(0, first)];
  return [...rotated.slice(0, 1), ...rotated];
}

/** The longest that one repeatable call can take, ms: what a lease on it has to outlive. */
export function longestCallMs(settings: {
  apiUrls: readonly string[];
  timeoutMs: number;
  triesPerCall?: number | undefined;
  pausesMs?: readonly number[] | undefined;
}): number {
  const tries = Math.min(settings.apiUrls.length + 1, settings.triesPerCall ?? Number.POSITIVE_INFINITY);
  const pauses = settings.pausesMs ?? FAILOVER_PAUSES_MS;
  let total = tries * settings.timeoutMs;
  for (let pause = 0; pause < tries - 1; pause++) total += pauses[Math.min(pause, pauses.length - 1)] ?? 0;
  return total;
}

/**
 * The wire: Basic authentication, a timeout that covers the whole answer, no redirects, failover between hosts (the two
 * primary ones first, then regional ones, if there are any). It
 * remembers which host answered last and begins there, so that a start, which must not be repeated blindly, goes to
 * the host that has just answered its acquire. Where a call has fewer tries than there are hosts, the next call goes on
 * where this one ended.
 */
export function createTransport(
  settings: {
    apiUrls: readonly string[];
    customerId: string;
    customerSecret: string;
    triesPerCall?: number | undefined;
    pausesMs?: readonly number[] | undefined;
  },
  deps: AgoraDeps,
): AgoraTransport {
  const credentials = new TextEncoder().encode(`${settings.customerId}:${settings.customerSecret}`);
  const authorization = `Basic ${btoa(String.fromCharCode(...credentials))}`;
  const pauses = settings.pausesMs ?? FAILOVER_PAUSES_MS;
  let lastGood = 0;
  let lostInARow = 0;

  return {
    async send(request) {
      const order = failoverOrder(settings.apiUrls, lastGood);
      const mostTries = request.repeatable ? (settings.triesPerCall ?? order.length) : 1;
      const first = settings.triesPerCall === undefined ? 0 : lostInARow % order.length;
      const tries = [...order.slice(first), ...order.slice(0, first)].slice(0, mostTries);
      const hasRegional = settings.triesPerCall === undefined && tries.length > OTHER_PRIMARY + 1;
      let lost: Extract<Delivery, { kind: "lost" }> = {
        kind: "lost",
        reason: "not sent",
        isSent: false,
        isNameUnknown: false,
      };
      let attempt = 0;
      for (const [index, base] of tries.entries()) {
        if (index === OTHER_PRIMARY && hasRegional && !lost.isNameUnknown) continue;
        if (attempt > 0) await deps.sleep(pauses[Math.min(attempt - 1, pauses.length - 1)] ?? 0);
        if (request.signal?.aborted) return lost;
        attempt += 1;
        const startedAt = deps.now();
        const delivery = await exchange(deps, `${base}${request.path}`, authorization, request);
        deps.observe?.({
          call: request.call,
          host: new URL(base).host,
          attempt,
          tookMs: deps.now() - startedAt,
          ...(delivery.kind === "lost"
            ? { lost: delivery.reason }
            : { httpStatus: delivery.answer.httpStatus }),
          ...(delivery.kind === "answered" && delivery.answer.requestId !== undefined
            ? { requestId: delivery.answer.requestId }
            : {}),
        });
        if (delivery.kind === "answered") {
          lastGood = settings.apiUrls.indexOf(base);
          lostInARow = 0;
          return delivery;
        }
        lostInARow += 1;
        lost = delivery;
      }
      return lost;
    },
  };
}

async function exchange(
  deps: AgoraDeps,
  url: string,
  authorization: string,
  request: { method: string; body?: unknown; timeoutMs: number; signal?: AbortSignal | undefined },
): Promise<Delivery> {
  const limit = timeLimit(request.timeoutMs, `no answer within ${request.timeoutMs} ms`, {
    outer: request.signal,
    after: deps.after,
  });
  try {
    const response = await deps.fetch(url, {
      method: request.method,
      headers: {
        authorization,
        accept: "application/json",
        ...(request.body === undefined ? {} : { "content-type": "application/json" }),
      },
      // As a Blob, because Deno's fetch sends a request whose body is a string once more by itself when a kept
      // connection breaks before the answer begins, POST or not: a start would reach the engine twice.
      ...(request.body === undefined ? {} : { body: new Blob([JSON.stringify(request.body)]) }),
      redirect: "manual",
      signal: limit.signal,
    });
    // A reply that breaks off is a lost reply, whatever its status line said.
    const text = await response.text();
    return {
      kind: "answered",
      answer: {
        httpStatus: response.status,
        body: jsonOrUndefined(text),
        requestId: response.headers.get("x-request-id") ?? undefined,
        retryAfterMs: retryAfterMs(response.headers.get("retry-after")),
      },
    };
  } catch (thrown) {
    const reason = reasonOf(thrown);
    return { kind: "lost", reason, isSent: true, isNameUnknown: NAME_UNKNOWN.test(reason) };
  } finally {
    limit.end();
  }
}

/** How Deno and Node say that a host's name could not be resolved. */
const NAME_UNKNOWN = /\bdns error\b|\bENOTFOUND\b|\bEAI_AGAIN\b/i;

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A gateway's error page: the status alone decides then.
    return undefined;
  }
}

/** Agora's gateway states the pause in whole seconds. */
function retryAfterMs(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
}

function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause instanceof Error ? ` (${thrown.cause.message})` : "";
  return `${thrown.name}: ${thrown.message}${cause}`;
}
