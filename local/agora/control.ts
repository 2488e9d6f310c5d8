import { z } from "zod";
import type { Answer } from "./answers.ts";
import { gatewayAnswers } from "./answers.ts";
import { type Faults, faultRules } from "./faults.ts";
import type { RecordingService } from "./service.ts";
import type { DeliveryResult, Notifier } from "./webhooks.ts";

const channelRules = z.object({ cname: z.string().min(1), publishers: z.enum(["synthetic", "none"]) });
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
}

/** Switches that the real service does not have, for tests and demonstrations in the same process. */
export interface AgoraControl {
  faults: Faults;
  tasks(): TaskView[];
  setPublishers(cname: string, publishers: "synthetic" | "none"): void;
  /** Moves a task to another server; it answers 404 for `ms`. False when it is not recording. */
  failover(sid: string, ms: number): boolean;
  /** Sends the console's test event of each type to the receiver. */
  healthCheck(eventTypes: number[]): Promise<DeliveryResult[]>;
}

export function controlOf(service: RecordingService, faults: Faults, notifier: Notifier): AgoraControl {
  return {
    faults,
    tasks: () =>
      service.tasks.map(({ record, status }) => ({
        sid: record.sid,
        resourceId: record.resourceId,
        cname: record.cname,
        uid: record.uid,
        recorderUid: record.recorderUid,
        status,
        failovers: record.failovers,
      })),
    setPublishers: (cname, publishers) => service.setPublishers(cname, publishers),
    failover: (sid, ms) => service.tasks.find(({ record }) => record.sid === sid)?.failover(ms) ?? false,
    healthCheck: (eventTypes) => Promise.all(eventTypes.map((eventType) => notifier.check(eventType))),
  };
}

/** Answers `/_control/…`; the caller has been checked. */
export async function answerControl(
  control: AgoraControl,
  method: string,
  pathname: string,
  body: unknown,
): Promise<Answer> {
  const done = { status: 200, body: {} };
  const refused = (error: z.ZodError): Answer => ({ status: 400, body: { message: z.prettifyError(error) } });
  switch (`${method} ${pathname}`) {
    case "GET /_control/tasks":
      return { status: 200, body: control.tasks() };
    case "GET /_control/faults":
      return { status: 200, body: control.faults.list() };
    case "DELETE /_control/faults":
      control.faults.clear();
      return done;
    case "POST /_control/faults": {
      const fault = faultRules.safeParse(body);
      if (!fault.success) return refused(fault.error);
      control.faults.add(fault.data);
      return done;
    }
    case "POST /_control/channels": {
      const channel = channelRules.safeParse(body);
      if (!channel.success) return refused(channel.error);
      control.setPublishers(channel.data.cname, channel.data.publishers);
      return done;
    }
    case "POST /_control/failover": {
      const failover = failoverRules.safeParse(body);
      if (!failover.success) return refused(failover.error);
      const moved = control.failover(failover.data.sid, failover.data.ms);
      return moved ? done : { status: 409, body: { message: "this task is not recording" } };
    }
    case "POST /_control/health-check": {
      const check = checkRules.safeParse(body);
      if (!check.success) return refused(check.error);
      return { status: 200, body: await control.healthCheck(check.data.eventTypes) };
    }
    default:
      return gatewayAnswers.noRoute;
  }
}
