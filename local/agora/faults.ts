import { z } from "zod";
import { calls, onDemand } from "./refusals/on-demand.ts";

const call = z.enum(calls);
const times = z.int().positive().default(1);
const ms = z.int().min(0).max(600_000);
/** Whom it strikes: everybody, one channel, or one task. */
const where = { cname: z.string().optional(), sid: z.string().optional() };
const webhook = { ...where, eventType: z.int().optional(), times };

/** One switched-on fault. `times`: how often it strikes before it is used up. */
export const faultRules = z
  .discriminatedUnion("kind", [
    /** The call is carried out, but the connection breaks before its answer. */
    z.object({ kind: z.literal("lose_reply"), call, ...where, times }),
    /** The call is answered late. */
    z.object({ kind: z.literal("delay"), call, ms, ...where, times }),
    /** The call is not carried out and gets the documented error of this HTTP status (and code, where it has several). */
    z.object({ kind: z.literal("answer"), call, status: z.int(), code: z.int().optional(), ...where, times }),
    /** Every task (or one) answers 404 for a while, as during a failover, and goes on recording. */
    z.object({ kind: z.literal("gone"), ms, ...where }),
    z.object({ kind: z.literal("slow_upload"), ms, ...where }),
    /** The store "refuses" the next upload: wrong settings (32) or no store (47), whatever the store is like. */
    z.object({ kind: z.literal("refuse_storage"), code: z.literal([32, 47]).default(32), ...where, times }),
    /** A task sends part of its files through the backup cloud, which forwards them `ms` after its end. */
    z.object({ kind: z.literal("backup_cloud"), ms, ...where, times }),
    /** The event is never sent. Without eventType: whichever comes next. */
    z.object({ kind: z.literal("drop_webhook"), ...webhook }),
    /** The event is sent twice: the same, with a noticeId of its own, or by another process with another uid too. */
    z.object({
      kind: z.literal("duplicate_webhook"),
      as: z.enum(["same", "new notice", "other uid"]).default("same"),
      ...webhook,
    }),
    /** The event is held back for this long, so that later ones overtake it. */
    z.object({ kind: z.literal("delay_webhook"), ms, ...webhook }),
    /** Each event is held back for a time of its own, up to this long, drawn by `seed`. */
    z.object({ kind: z.literal("shuffle_webhooks"), ms, seed: z.int().min(0).default(1), ...webhook }),
    /** Moves the tasks that record now to another server; they answer 404 for `ms`. */
    z.object({ kind: z.literal("failover"), ms: z.int().min(0).max(90_000), ...where }),
    /** Ends the tasks that record now for a reason of the engine's own; "silently" tells nobody. */
    z.object({
      kind: z.literal("end_task"),
      reason: z.enum(["idle", "token", "crash", "kicked", "silently"]),
      ...where,
    }),
    /** Lets resourceExpiredHour pass at once for tasks: they go on, and cannot be controlled any more. */
    z.object({ kind: z.literal("end_control"), ...where }),
  ])
  .superRefine((fault, check) => {
    if (fault.kind !== "answer" || onDemand(fault.call, fault.status, fault.code) !== undefined) return;
    check.addIssue({ code: "custom", message: `no such answer of ${fault.call} is documented` });
  });

export type Fault = z.output<typeof faultRules>;
export type FaultKind = Fault["kind"];

/** What a fault may strike: members that are not known match only faults that do not name them. */
export interface Subject {
  call?: string;
  cname?: string | undefined;
  sid?: string | undefined;
  eventType?: number;
}

const selectors = ["call", "cname", "sid", "eventType"] as const;

/** Whether a fault is meant for this subject. */
export function strikes(fault: Fault, subject: Subject): boolean {
  return selectors.every((name) => {
    const wanted: unknown = name in fault ? Object.getOwnPropertyDescriptor(fault, name)?.value : undefined;
    return wanted === undefined || wanted === subject[name];
  });
}

/** The faults that are switched on now and wait for something to strike. */
export class Faults {
  #active: { fault: Fault; left: number; until: number }[] = [];

  add(fault: Fault): void {
    const left = "times" in fault ? fault.times : Number.POSITIVE_INFINITY;
    const until = fault.kind === "gone" ? Date.now() + fault.ms : Number.POSITIVE_INFINITY;
    this.#active.push({ fault, left, until });
  }

  clear(): void {
    this.#active = [];
  }

  list(): Fault[] {
    return this.#living().map(({ fault }) => fault);
  }

  /** Takes one strike of the first fault of this kind that is meant for the subject; undefined when there is none. */
  take<Kind extends FaultKind>(
    kind: Kind,
    subject: Subject,
  ): (Extract<Fault, { kind: Kind }> & { nth: number }) | undefined {
    for (const entry of this.#living()) {
      const { fault } = entry;
      if (!isKind(fault, kind) || !strikes(fault, subject)) continue;
      entry.left -= 1;
      const nth = "times" in fault ? fault.times - entry.left : 1;
      return { ...fault, nth };
    }
    return undefined;
  }

  #living() {
    const now = Date.now();
    this.#active = this.#active.filter(({ left, until }) => left > 0 && until > now);
    return this.#active;
  }
}

function isKind<Kind extends FaultKind>(fault: Fault, kind: Kind): fault is Extract<Fault, { kind: Kind }> {
  return fault.kind === kind;
}
