import { createHash, timingSafeEqual } from "node:crypto";
import type { Answer } from "./answers.ts";
import type { Refusals } from "./refusals/list.ts";
import type { Call } from "./refusals/on-demand.ts";

/** One call as the gateway understood it. */
export interface Route {
  call: Call;
  appId: string;
  resourceId: string;
  sid: string;
  mode: string;
}

const mode = "(?<mode>individual|mix|web|raw)";
const task = `/resourceid/(?<resourceId>[^/]+)/sid/(?<sid>[^/]+)/mode/${mode}`;
const routes: { method: string; call: Call; path: RegExp }[] = (
  [
    ["POST", "acquire", "/acquire"],
    ["POST", "start", `/resourceid/(?<resourceId>[^/]+)/mode/${mode}/start`],
    ["GET", "query", `${task}/query`],
    ["POST", "update", `${task}/update`],
    [
      "POST",
      "updateLayout",
      "/resourceid/(?<resourceId>[^/]+)/sid/(?<sid>[^/]+)/mode/(?<mode>mix)/updateLayout",
    ],
    ["POST", "stop", `${task}/stop`],
  ] as const
).map(([method, call, path]) => ({
  method,
  call,
  path: new RegExp(`^(?<area>/(?:cn|eu|ap|us))?/v1/apps/(?<appId>[^/]+)/cloud_recording${path}$`),
}));

/**
 * Finds the call of a request; null where the gateway has no route. Paths are case-sensitive. `areaInPath`: an area may
 * stand in front (cross-region acceleration, on Chinese pages only).
 */
export function routeOf(method: string, pathname: string, areaInPath = false): Route | null {
  for (const { call, path, method: wanted } of routes) {
    const groups = wanted === method ? path.exec(pathname)?.groups : undefined;
    if (!groups || (groups.area !== undefined && !areaInPath)) continue;
    const part = (name: string) => groups[name] ?? "";
    return {
      call,
      appId: part("appId"),
      resourceId: part("resourceId"),
      sid: part("sid"),
      mode: part("mode"),
    };
  }
  return null;
}

/** The path that lists the addresses which notifications come from. */
export const notificationHosts = "/v2/ncs/ip";

/** Checks the Basic credentials of a request; null when they are right. */
export function refusalOfCredentials(
  authorization: string | undefined,
  right: { customerId: string; customerSecret: string },
  refusals: Refusals,
): Answer | null {
  const expected = `Basic ${Buffer.from(`${right.customerId}:${right.customerSecret}`).toString("base64")}`;
  return (
    refusals.when("gateway.authorization", () => authorization === undefined) ??
    refusals.when("gateway.credentials", () => !isSameSecret(authorization ?? "", expected))
  );
}

/** Checks the App ID in the path; right credentials of one account do not open another account's. */
export function refusalOfApp(appId: string, right: string, refusals: Refusals): Answer | null {
  return (
    refusals.when("gateway.app_id", () => !/^[0-9a-fA-F]{32}$/.test(appId)) ??
    refusals.when("gateway.app_of_another_account", () => appId !== right)
  );
}

/** Compares two secrets in constant time, whatever their lengths. */
export function isSameSecret(given: string, expected: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}

/** At most so many calls in any second. */
export class RateLimit {
  readonly #perSecond: number;
  #times: number[] = [];

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Counts a call that is let through; false when it is one too many. `nowMs` is a monotonic time. */
  admits(nowMs: number): boolean {
    this.#times = this.#times.filter((time) => nowMs - time < 1000);
    if (this.#times.length >= this.#perSecond) return false;
    this.#times.push(nowMs);
    return true;
  }
}
