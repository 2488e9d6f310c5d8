import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { type Answer, answers, gatewayAnswers } from "./answers.ts";
import { type AgoraControl, answerControl } from "./control.ts";
import type { Call } from "./faults.ts";
import { isSameSecret, RateLimit, type Route, refusalOfCaller, routeOf } from "./gateway.ts";
import type { RecordingService } from "./service.ts";
import type { AgoraSettings } from "./settings.ts";

const largestBody = 1_048_576;

/** Handles every HTTP request of the service: the REST API, and the control endpoint where a token opens it. */
export function requestHandler(
  settings: AgoraSettings,
  service: RecordingService,
  control: AgoraControl,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const limit = new RateLimit(settings.requestsPerSecond);

  async function answerRest(request: IncomingMessage, route: Route): Promise<Answer | "lost"> {
    const refusal = refusalOfCaller(request.headers.authorization, route.appId, settings);
    if (refusal) return refusal;
    if (!limit.admits(performance.now())) return gatewayAnswers.rateLimited;
    const ofThisCall = (fault: { call: Call }) => fault.call === route.call;
    const late = control.faults.take("delay", ofThisCall);
    if (late) await pause(late.ms);
    const fault = control.faults.take("answer", ofThisCall);
    if (fault) return faultAnswer(route.call, fault.status);
    const isLost = control.faults.take("lose_reply", ofThisCall) !== undefined;
    const body =
      request.method === "POST" ? await readJson(request) : { ok: true as const, value: undefined };
    if (!body.ok) return body.answer;
    const answer = await carryOut(service, route, body.value);
    return isLost ? "lost" : answer;
  }

  async function answerAny(request: IncomingMessage): Promise<Answer | "lost"> {
    const pathname = (request.url ?? "/").split("?")[0] ?? "/";
    const method = request.method ?? "GET";
    if (settings.controlToken && pathname.startsWith("/_control/")) {
      const given = request.headers.authorization ?? "";
      if (!isSameSecret(given, `Bearer ${settings.controlToken}`)) return gatewayAnswers.unauthorized;
      const body = method === "POST" ? await readJson(request) : { ok: true as const, value: undefined };
      return body.ok ? answerControl(control, method, pathname, body.value) : body.answer;
    }
    const route = routeOf(method, pathname);
    return route ? answerRest(request, route) : gatewayAnswers.noRoute;
  }

  return async (request, response) => {
    const answer = await answerAny(request);
    if (answer === "lost") {
      response.destroy();
      return;
    }
    response.writeHead(answer.status, {
      "Content-Type": "application/json; charset=utf-8",
      "X-Request-Id": randomUUID(),
    });
    response.end(JSON.stringify(answer.body));
  };
}

function carryOut(service: RecordingService, route: Route, body: unknown): Answer | Promise<Answer> {
  switch (route.call) {
    case "acquire":
      return service.acquire(body);
    case "start":
      return service.start(route.resourceId, route.mode, body);
    case "query":
      return service.query(route);
    case "update":
      return service.update(route, body);
    case "updateLayout":
      return service.updateLayout(route, body);
    case "stop":
      return service.stop(route, body);
  }
}

/** The documented error that carries an HTTP status on this call. */
function faultAnswer(call: Call, status: 206 | 429 | 500 | 503 | 504): Answer {
  if (status === 206) return answers.notCompleted;
  if (status === 429) return gatewayAnswers.rateLimited;
  if (status === 503) return gatewayAnswers.unavailable;
  // Of acquire and start Agora documents a time-out as HTTP 500 with a code of its own (reference 3.2).
  if (status === 504)
    return call === "acquire"
      ? answers.allocateTimeout
      : call === "start"
        ? answers.startTimeout
        : answers.timeout;
  if (call === "acquire") return answers.internal;
  return call === "start" ? answers.noWorkerForStart : answers.internal;
}

async function readJson(
  request: IncomingMessage,
): Promise<{ ok: true; value: unknown } | { ok: false; answer: Answer }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > largestBody) return { ok: false, answer: answers.badRequest("the body is too large") };
    chunks.push(chunk);
  }
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/json\b/i.test(type)) {
    return { ok: false, answer: answers.badRequest("Content-Type must be application/json") };
  }
  try {
    return { ok: true, value: JSON.parse(Buffer.concat(chunks).toString("utf8")) };
  } catch {
    return { ok: false, answer: answers.badRequest("the body is not JSON") };
  }
}
