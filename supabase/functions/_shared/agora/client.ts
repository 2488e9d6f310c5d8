import type { z } from "zod";
import type { RecorderError } from "../errors.ts";
import {
  acquireBody,
  phaseOf,
  queryBody,
  startBody,
  startedTwiceBody,
  stopBody,
  type TaskPhase,
  type UploadingStatus,
} from "./answers.ts";
import { engineError } from "./errors.ts";
import type { EngineFile } from "./file-list.ts";
import { verdictOf } from "./outcomes.ts";
import * as requests from "./requests.ts";
import { type AgoraAnswer, type AgoraDeps, createTransport } from "./transport.ts";

/** Told no, for certain: nothing was begun or changed by this call. */
export type Refused = { outcome: "refused"; error: RecorderError };
/** The reply is lost or open: the call may have worked. */
export type Unclear = { outcome: "unclear"; error: RecorderError };
/** No task of that id: ended, never really begun, or in Agora's own failover (up to 90 s). */
export type NotFound = { outcome: "not_found" };

/** `unclear` is not among them: an acquire whose reply is lost is harmless, its unused id expires. */
export type AcquireOutcome = { outcome: "acquired"; resourceId: string } | Refused;

/**
 * "started" only means that the request was accepted; a query with phase "recording" is the proof.
 * "already_started": the same resource id was started before; documented without sid, then webhooks may tell it.
 * "conflict": a task with this channel and uid is running, ours or a leaked one.
 */
export type StartOutcome =
  | { outcome: "started"; sid: string }
  | { outcome: "already_started"; sid?: string }
  | { outcome: "conflict" }
  | Unclear
  | Refused;

export type QueryOutcome =
  | { outcome: "running"; status: number; phase: TaskPhase; files: EngineFile[]; sliceStartTimeMs?: number }
  | NotFound
  | Unclear
  | Refused;

export type UpdateLayoutOutcome = { outcome: "updated" } | NotFound | Unclear | Refused;

/**
 * "stopped": uploads are settled as told. "stopped_empty": nobody published anything. "already_exiting": an earlier
 * stop, the idle timer or a kick is at work. "accepted": under way, the list of files comes by event or from the bucket.
 */
export type StopOutcome =
  | { outcome: "stopped"; files: EngineFile[]; uploadingStatus: UploadingStatus }
  | { outcome: "stopped_empty" }
  | { outcome: "already_exiting" }
  | { outcome: "accepted" }
  | NotFound
  | Unclear
  | Refused;

/** What one call may be limited by beside its own timeout. */
export interface CallOptions {
  /** Ends the call at once; it is then as if no answer had come. */
  signal?: AbortSignal | undefined;
}

/** Agora Cloud Recording in mix mode. No call throws for an answer or for the lack of one. */
export interface AgoraClient {
  acquire(request: requests.AcquireRequest, options?: CallOptions): Promise<AcquireOutcome>;
  start(request: requests.StartRequest, options?: CallOptions): Promise<StartOutcome>;
  query(request: requests.QueryRequest, options?: CallOptions): Promise<QueryOutcome>;
  updateLayout(request: requests.UpdateLayoutRequest, options?: CallOptions): Promise<UpdateLayoutOutcome>;
  stop(request: requests.StopRequest, options?: CallOptions): Promise<StopOutcome>;
}

/** A synchronous stop waits for the uploads: Agora expects up to 20 s, about 15 s are usual. */
const STOP_TIMEOUT_MS = 30_000;

/**
 * A client for one App ID. `apiUrls` are base addresses in the order to be tried (two primary, then regional ones), `timeoutMs` is per try (a stop has
 * at least 30 s), `pausesMs` the rests between tries. Everything but start is repeated on the next host when no answer
 * came, for acquire, query, updateLayout and stop are safe to repeat; whether a start may be sent again is the
 * caller's decision. Who counts requests sets `triesPerCall` to 1 and repeats by itself: the next call then takes the
 * next host. Throws RecorderFailure `engine_settings_invalid` for malformed settings, naming the member.
 */
export function createAgoraClient(settings: requests.AgoraSettings, deps: AgoraDeps): AgoraClient {
  const { appId, timeoutMs, stopTimeoutMs, ...wire } = requests.parseSettings(settings);
  const transport = createTransport(wire, deps);
  const root = `/v1/apps/${appId}/cloud_recording`;
  const taskPath = (task: { resourceId: string; sid: string }, verb: string) =>
    `${root}/resourceid/${task.resourceId}/sid/${task.sid}/mode/mix/${verb}`;
  const secrets = [wire.customerSecret];

  return {
    async acquire(request, options) {
      const checked = requests.acquireRequest.safeParse(request);
      if (!checked.success) return malformed(checked.error);
      const { cname, uid, resourceExpiredHour } = checked.data;
      const delivery = await transport.send({
        call: "acquire",
        method: "POST",
        path: `${root}/acquire`,
        body: { cname, uid, clientRequest: { scene: 0, resourceExpiredHour } },
        timeoutMs,
        repeatable: true,
        signal: options?.signal,
      });
      if (delivery.kind === "lost") return { outcome: "refused", error: unreachable(delivery.reason) };
      const acquired = success([200], acquireBody, delivery.answer);
      if (acquired !== undefined) return { outcome: "acquired", resourceId: acquired.resourceId };
      return verdictOf("acquire", delivery.answer, secrets);
    },

    async start(request, options) {
      const checked = requests.startRequest.safeParse(request);
      if (!checked.success) return malformed(checked.error);
      const { cname, uid, resourceId, ...clientRequest } = checked.data;
      const delivery = await transport.send({
        call: "start",
        method: "POST",
        path: `${root}/resourceid/${resourceId}/mode/mix/start`,
        body: { cname, uid, clientRequest },
        timeoutMs,
        repeatable: false,
        signal: options?.signal,
      });
      if (delivery.kind === "lost") {
        // What never left began nothing.
        return { outcome: delivery.isSent ? "unclear" : "refused", error: unreachable(delivery.reason) };
      }
      const started = success([200, 201], startBody, delivery.answer);
      if (started !== undefined) return { outcome: "started", sid: started.sid };
      const { accessKey, secretKey } = clientRequest.storageConfig;
      const verdict = verdictOf("start", delivery.answer, [
        ...secrets,
        clientRequest.token,
        accessKey,
        secretKey,
      ]);
      if (verdict.outcome !== "already_started") return verdict;
      const sid = startedTwiceBody.safeParse(delivery.answer.body).data?.sid;
      return sid === undefined ? verdict : { ...verdict, sid };
    },

    async query(request, options) {
      const checked = requests.queryRequest.safeParse(request);
      if (!checked.success) return malformed(checked.error);
      const delivery = await transport.send({
        call: "query",
        method: "GET",
        path: taskPath(checked.data, "query"),
        timeoutMs,
        repeatable: true,
        signal: options?.signal,
      });
      if (delivery.kind === "lost") return { outcome: "unclear", error: unreachable(delivery.reason) };
      const told = success([200], queryBody, delivery.answer);
      if (told === undefined) return verdictOf("query", delivery.answer, secrets);
      return {
        outcome: "running",
        status: told.status,
        phase: phaseOf(told.status),
        files: told.files,
        ...(told.sliceStartTimeMs === undefined ? {} : { sliceStartTimeMs: told.sliceStartTimeMs }),
      };
    },

    async updateLayout(request, options) {
      const checked = requests.updateLayoutRequest.safeParse(request);
      if (!checked.success) return malformed(checked.error);
      const { cname, uid, layout, ...task } = checked.data;
      const delivery = await transport.send({
        call: "updateLayout",
        method: "POST",
        path: taskPath(task, "updateLayout"),
        body: { cname, uid, clientRequest: layout },
        timeoutMs,
        repeatable: true,
        signal: options?.signal,
      });
      if (delivery.kind === "lost") return { outcome: "unclear", error: unreachable(delivery.reason) };
      const updated = success([200], startBody, delivery.answer);
      return updated === undefined
        ? verdictOf("updateLayout", delivery.answer, secrets)
        : { outcome: "updated" };
    },

    async stop(request, options) {
      const checked = requests.stopRequest.safeParse(request);
      if (!checked.success) return malformed(checked.error);
      const { cname, uid, asyncStop, ...task } = checked.data;
      const delivery = await transport.send({
        call: "stop",
        method: "POST",
        path: taskPath(task, "stop"),
        body: { cname, uid, clientRequest: { async_stop: asyncStop } },
        timeoutMs: asyncStop ? timeoutMs : (stopTimeoutMs ?? Math.max(timeoutMs, STOP_TIMEOUT_MS)),
        repeatable: true,
        signal: options?.signal,
      });
      if (delivery.kind === "lost") return { outcome: "unclear", error: unreachable(delivery.reason) };
      const told = success([200], stopBody, delivery.answer);
      if (told === undefined) return verdictOf("stop", delivery.answer, secrets);
      // What an asynchronous stop tells is not documented, only that it returns before the uploads are settled.
      return asyncStop ? { outcome: "accepted" } : { outcome: "stopped", ...told };
    },
  };
}

/** The parsed body if the answer is that call's success. */
function success<Schema extends z.ZodType>(
  statuses: readonly number[],
  body: Schema,
  answer: AgoraAnswer,
): z.output<Schema> | undefined {
  return statuses.includes(answer.httpStatus) ? body.safeParse(answer.body).data : undefined;
}

function malformed(error: z.ZodError): Refused {
  const isName = error.issues.some(({ path }) => path[0] === "cname");
  const code = isName ? "channel_name_invalid" : "engine_request_invalid";
  return { outcome: "refused", error: engineError(code, { detail: requests.issuesOf(error) }) };
}

function unreachable(reason: string): RecorderError {
  return engineError("engine_unreachable", { detail: reason });
}
