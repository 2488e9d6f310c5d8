import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { type Answer, success } from "./answers.ts";
import { type AgoraControl, answerControl, type ControlAnswer } from "./control.ts";
import {
  isSameSecret,
  notificationHosts,
  RateLimit,
  type Route,
  refusalOfApp,
  refusalOfCredentials,
  routeOf,
} from "./gateway.ts";
import { at } from "./refusals/body-rules.ts";
import type { Refusals } from "./refusals/list.ts";
import { onDemand } from "./refusals/on-demand.ts";
import type { RecordingService } from "./service.ts";
import type { AgoraSettings } from "./settings.ts";

const largestBody = 1_048_576;

interface Parts {
  settings: AgoraSettings;
  service: RecordingService;
  control: AgoraControl;
  refusals: Refusals;
}

/** Handles every HTTP request of the service: the REST API, and the control endpoint where a token opens it. */
export function requestHandler({ settings, service, control, refusals }: Parts) {
  const { areaInPath, rateBesideCeiling } = settings.unconfirmed;
  const limit = new RateLimit(settings.requestsPerSecond);
  const limitBesideCeiling = new RateLimit(Math.max(1, Math.floor(settings.maxConcurrentTasks / 10)));

  async function answerRest(request: IncomingMessage, pathname: string): Promise<Answer | "lost"> {
    const method = request.method ?? "GET";
    const isHosts = method === "GET" && pathname === notificationHosts;
    const route = routeOf(method, pathname, areaInPath);
    const unknown = refusals.when("gateway.route", () => route === null && !isHosts);
    if (unknown) return unknown;
    const stranger = refusalOfCredentials(request.headers.authorization, settings, refusals);
    if (stranger) return stranger;
    if (isHosts) return success({ data: { service: { hosts: [{ primaryIP: "127.0.0.1" }] } } });
    if (!route) return success();
    const now = performance.now();
    const refusal =
      refusalOfApp(route.appId, settings.appId, refusals) ??
      refusals.when("gateway.rate", () => !limit.admits(now)) ??
      refusals.when(
        "gateway.rate_beside_ceiling",
        () => rateBesideCeiling && !limitBesideCeiling.admits(now),
      );
    if (refusal) return refusal;
    const body = method === "POST" ? await readJson(request, refusals) : { value: undefined };
    if ("status" in body) return body;
    return answerCall(route, body.value);
  }

  async function answerCall(route: Route, body: unknown): Promise<Answer | "lost"> {
    const { call, sid } = route;
    const named = at(body, "cname");
    const cname = typeof named === "string" ? named : service.channelOf(route.resourceId);
    const subject = { call, cname, sid };
    const late = control.faults.take("delay", subject);
    if (late) await pause(late.ms);
    const fault = control.faults.take("answer", subject);
    const asked = fault && onDemand(call, fault.status, fault.code);
    const demanded = asked && refusals.when(asked, () => true);
    if (demanded) return demanded;
    const isLost = control.faults.take("lose_reply", subject) !== undefined;
    const answer = await carryOut(service, route, body);
    return isLost ? "lost" : answer;
  }

  async function answerAny(request: IncomingMessage): Promise<Answer | ControlAnswer | "lost"> {
    const pathname = (request.url ?? "/").split("?")[0] ?? "/";
    if (!settings.controlToken || !pathname.startsWith("/_control/")) return answerRest(request, pathname);
    const given = request.headers.authorization ?? "";
    const isAllowed = isSameSecret(given, `Bearer ${settings.controlToken}`);
    const chunks = await bytesOf(request);
    return answerControl(control, {
      isAllowed,
      method: request.method ?? "GET",
      pathname,
      text: chunks?.toString("utf8") ?? "",
    });
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const answer = await answerAny(request);
    if (answer === "lost") {
      response.destroy();
      return;
    }
    // Nobody refuses anything that is not in the list.
    if (answer.status !== 200 && !("isControl" in answer) && answer.refusedBy === undefined) {
      throw new Error(`an answer ${answer.status} without a rule in the list of refusals`);
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

async function readJson(request: IncomingMessage, refusals: Refusals): Promise<{ value: unknown } | Answer> {
  const bytes = await bytesOf(request);
  const type = request.headers["content-type"] ?? "";
  const refusal =
    refusals.when("gateway.body_too_large", () => bytes === null) ??
    refusals.when("gateway.content_type", () => !/^application\/json\b/i.test(type));
  if (refusal) return refusal;
  try {
    return { value: JSON.parse((bytes ?? Buffer.alloc(0)).toString("utf8")) };
  } catch {
    return refusals.when("gateway.json", () => true) ?? { value: {} };
  }
}

/** The bytes of a body, or null when there are too many. */
async function bytesOf(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size <= largestBody) chunks.push(chunk);
  }
  return size > largestBody ? null : Buffer.concat(chunks);
}
