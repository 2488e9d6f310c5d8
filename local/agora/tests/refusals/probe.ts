import type { RefusalId } from "../../refusals/list.ts";
import type { RunningAgora } from "../../server.ts";
import {
  type clientOf,
  type openReceiver,
  type Reply,
  rtcToken,
  startRequestFor,
  type testSettings,
} from "../stage.ts";

/** What a probe works on: one running service, and a client of it. */
export interface ProbeStage {
  engine: RunningAgora;
  client: ReturnType<typeof clientOf>;
  receiver: Awaited<ReturnType<typeof openReceiver>>;
}

type Settings = Parameters<typeof testSettings>[0];

/** Does what one rule refuses. */
export interface Probe {
  /** What is special about the case, where a rule has several. */
  name?: string;
  settings?: Settings;
  ask(stage: ProbeStage): Promise<Reply>;
  /** The rule that refuses it in place of this one, where the list is without this one. Default: nothing does. */
  otherwise?: RefusalId;
}

/** Does what is answered 200 and refused seconds later. */
export interface LateProbe {
  settings?: Settings;
  /** Starts the task that will not live. */
  begin(stage: ProbeStage): Promise<{ resourceId: string; sid: string }>;
  /** What the task comes to where the list is without this rule: a status of query. */
  livesUntil: 4 | 5;
}

let lastUid = 4_000_000_000;
export const freshUid = () => String(++lastUid);
export const cname = "room_1";
/** Nothing listens there: these probes need no store, their tasks never upload. */
export const nowhere = "127.0.0.1:9";

export const acquired = async ({ client }: ProbeStage, uid: string): Promise<string> =>
  (await client.acquire(cname, uid)).body.resourceId;

/** Acquires, and starts with this request. */
export async function startWith(
  stage: ProbeStage,
  change: (request: Record<string, unknown>) => Record<string, unknown>,
): Promise<Reply> {
  const uid = freshUid();
  const request = change(startRequestFor(cname, uid, nowhere));
  return stage.client.start(await acquired(stage, uid), cname, uid, request);
}

export const begin = (stage: ProbeStage, more: Record<string, unknown> = {}) => {
  const uid = freshUid();
  return stage.client.begin(cname, uid, startRequestFor(cname, uid, nowhere, more));
};

/** A copy of parsed JSON in which the member at a path is another; undefined removes it. */
export function changed(
  json: Record<string, unknown>,
  path: string,
  value: unknown,
): Record<string, unknown> {
  const [name = "", ...rest] = path.split(".");
  const inner = json[name];
  const below = typeof inner === "object" && inner !== null ? { ...inner } : {};
  const next = rest.length === 0 ? value : changed(below, rest.join("."), value);
  const { [name]: _before, ...others } = json;
  return next === undefined ? others : { ...others, [name]: next };
}

/** A start whose request has other members. */
export function member(changes: Record<string, unknown>, more: Partial<Probe> = {}): Probe {
  return {
    ask: (stage) =>
      startWith(stage, (request) =>
        Object.entries(changes).reduce((whole, [path, value]) => changed(whole, path, value), request),
      ),
    ...more,
  };
}

/** A token for a task that is about to begin. */
export const tokenFor = (uid: string, more: Partial<Parameters<typeof rtcToken>[0]> = {}) =>
  rtcToken({ cname, uid, ...more });
