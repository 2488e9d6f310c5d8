import { z } from "zod";
import type { Log } from "../stack/part.ts";
import { type FaultSchedule, FaultSchedules, type ScheduleOrder, scheduleRules } from "./fault-schedule.ts";
import { type Fault, type Faults, faultRules, strikes } from "./faults.ts";
import type { RecordingService } from "./service.ts";
import type { DeliveryResult, Notifier } from "./webhooks.ts";

const channelRules = z.object({
  cname: z.string().min(1),
  publishers: z.enum(["synthetic", "none", "calls"]).optional(),
  /** Uids that people in the channel have: a recorder with one of them is thrown out. */
  uids: z.array(z.string()).optional(),
});
const failoverRules = z.object({ sid: z.string(), ms: z.int().min(0).max(90_000).default(2_000) });
const checkRules = z.object({ eventTypes: z.array(z.int()).min(1).max(40) });

export interface TaskView {
  sid: string;
  resourceId: string;
  cname: string;
  uid: string;
  recorderUid: string;
  status: number;
  failovers: number;
  /** mixedVideoLayout, backgroundColor and the rest as the last updateLayout (or start) left them. */
  layout: Record<string, unknown>;
}

/** Switches that the real service does not have, for tests and demonstrations in the same process. */
export interface AgoraControl {
  faults: Faults;
  /** Switches a fault on; failover and end_task happen at once. */
  switchOn(fault: Fault): void;
  /** Begins a reproducible run of trouble and tells what it will be. */
  trouble(order: ScheduleOrder): FaultSchedule;
  /** Switches everything off, also what a schedule has not begun. */
  clearFaults(): void;
  tasks(): TaskView[];
  setPublishers(cname: string, publishers: "synthetic" | "none" | "calls"): void;
  /** Who is in a channel beside the recorders, by uid. */
  setMembers(cname: string, uids: string[]): void;
  /** Moves a task to another server; it answers 404 for `ms`. False when it is not recording. */
  failover(sid: string, ms: number): boolean;
  /** Sends the console's test event of each type to the receiver. */
  healthCheck(eventTypes: number[]): Promise<DeliveryResult[]>;
}

export function controlOf(
  service: RecordingService,
  faults: Faults,
  notifier: Notifier,
  log: Log,
): AgoraControl {
  function switchOn(fault: Fault): void {
    const meant = () => service.tasks.filter(({ record }) => strikes(fault, record));
    if (fault.kind === "failover") for (const task of meant()) task.life.failover(fault.ms);
    else if (fault.kind === "end_task") for (const task of meant()) task.endFor(fault.reason);
    else if (fault.kind === "end_control") for (const task of meant()) task.endControl();
    else faults.add(fault);
  }
  const schedules = new FaultSchedules(switchOn, log);
  return {
    faults,
    switchOn,
    trouble: (order) => schedules.begin(order),
    clearFaults: () => {
      schedules.clear();
      faults.clear();
    },
    tasks: () =>
      service.tasks.map(({ record, life }) => ({
        sid: record.sid,
        resourceId: record.resourceId,
        cname: record.cname,
        uid: record.uid,
        recorderUid: record.recorderUid,
        status: life.status,
        failovers: record.failovers,
        layout: record.layout,
      })),
    setPublishers: (cname, publishers) => service.setPublishers(cname, publishers),
    setMembers: (cname, uids) => service.setMembers(cname, uids),
    failover: (sid, ms) => service.tasks.find(({ record }) => record.sid === sid)?.life.failover(ms) ?? false,
    healthCheck: (eventTypes) => Promise.all(eventTypes.map((eventType) => notifier.check(eventType))),
  };
}

/** What the control endpoint answers: no answer of Agora's. */
export interface ControlAnswer {
  status: number;
  body: unknown;
  isControl: true;
}

const told = (status: number, body: unknown): ControlAnswer => ({ status, body, isControl: true });

/** Answers `/_control/…`. */
export async function answerControl(
  control: AgoraControl,
  request: { isAllowed: boolean; method: string; pathname: string; text: string },
): Promise<ControlAnswer> {
  if (!request.isAllowed) return told(401, { message: "Unauthorized" });
  const done = told(200, {});
  const routes: Record<string, (body: unknown) => ControlAnswer | Promise<ControlAnswer>> = {
    "GET /_control/tasks": () => told(200, control.tasks()),
    "GET /_control/faults": () => told(200, control.faults.list()),
    "DELETE /_control/faults": () => {
      control.clearFaults();
      return done;
    },
    "POST /_control/faults": (body) => {
      control.switchOn(faultRules.parse(body));
      return done;
    },
    "POST /_control/trouble": (body) => told(200, control.trouble(scheduleRules.parse(body))),
    "POST /_control/channels": (body) => {
      const { cname, publishers, uids } = channelRules.parse(body);
      if (publishers) control.setPublishers(cname, publishers);
      if (uids) control.setMembers(cname, uids);
      return done;
    },
    "POST /_control/failover": (body) => {
      const { sid, ms } = failoverRules.parse(body);
      return control.failover(sid, ms) ? done : told(409, { message: "this task is not recording" });
    },
    "POST /_control/health-check": async (body) =>
      told(200, await control.healthCheck(checkRules.parse(body).eventTypes)),
  };
  const route = routes[`${request.method} ${request.pathname}`];
  if (!route) return told(404, { message: "no such switch" });
  try {
    return await route(request.text === "" ? {} : JSON.parse(request.text));
  } catch (error) {
    if (error instanceof z.ZodError) return told(400, { message: z.prettifyError(error) });
    if (error instanceof SyntaxError) return told(400, { message: error.message });
    throw error;
  }
}
