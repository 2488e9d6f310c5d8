import { createAgoraClient } from "../../_shared/agora/client.ts";
import type { AgoraSettings } from "../../_shared/agora/requests.ts";
import type { AgoraExchange } from "../../_shared/agora/transport.ts";

export const SETTINGS = {
  appId: "970CA35de60c44645bbae8a215061b33",
  customerId: "customer-7",
  customerSecret: "secret-of-the-customer",
  apiUrls: ["https://one.example", "https://two.example/"],
  timeoutMs: 1_000,
} satisfies AgoraSettings;

/** What the engine does with the next request: answers, loses the connection, or never answers. */
export type Step =
  | { http: number; body?: unknown; headers?: Record<string, string> }
  | "lost"
  | "silent"
  | "no such host"
  | "cut off";

export interface SentRequest {
  method: string;
  url: string;
  headers: Headers;
  body: unknown;
}

/** An Agora client against an engine that follows a script, with a clock that only sleeping moves. */
export function scriptedEngine(steps: Step[], settings: Partial<AgoraSettings> = {}) {
  const sent: SentRequest[] = [];
  const slept: number[] = [];
  const observed: AgoraExchange[] = [];
  let nowMs = 1_700_000_000_000;

  const fetchStep: typeof fetch = async (input, init) => {
    sent.push({
      method: init?.method ?? "GET",
      url: String(input),
      headers: new Headers(init?.headers),
      body: init?.body instanceof Blob ? JSON.parse(await init.body.text()) : undefined,
    });
    nowMs += 20;
    const step = steps.shift();
    if (step === undefined) throw new Error("the script has no step left for this request");
    if (step === "lost") return Promise.reject(new TypeError("connection reset"));
    if (step === "no such host") {
      const cause = new Error("client error (Connect): dns error: failed to lookup address information");
      return Promise.reject(new TypeError("error sending request", { cause }));
    }
    if (step === "silent") {
      return new Promise((_, reject) => {
        if (init?.signal?.aborted) reject(init.signal.reason);
        init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      });
    }
    if (step === "cut off") {
      const broken = new ReadableStream({
        start(stream) {
          stream.enqueue(new TextEncoder().encode('{"cname":'));
          stream.error(new TypeError("connection reset"));
        },
      });
      return Promise.resolve(new Response(broken, { status: 200 }));
    }
    const text = step.body === undefined ? "<html>gateway</html>" : JSON.stringify(step.body);
    return Promise.resolve(new Response(text, { status: step.http, headers: step.headers ?? {} }));
  };

  const client = createAgoraClient(
    { ...SETTINGS, ...settings },
    {
      fetch: fetchStep,
      now: () => nowMs,
      sleep: (ms) => {
        slept.push(ms);
        nowMs += ms;
        return Promise.resolve();
      },
      observe: (exchange) => observed.push(exchange),
    },
  );
  return { client, sent, slept, observed, stepsLeft: () => steps.length };
}
