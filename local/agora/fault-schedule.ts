import { randomInt } from "node:crypto";
import { z } from "zod";
import type { Log } from "../stack/part.ts";
import { type Fault, faultRules } from "./faults.ts";
import { seeded } from "./seeded.ts";

/** A random but reproducible run of trouble: the same seed, count and time give the same faults at the same moments. */
export const scheduleRules = z.object({
  /** Drawn, told and logged when it is missing. */
  seed: z.int().min(0).max(4_294_967_295).optional(),
  faults: z.int().min(1).max(1_000).default(30),
  /** The faults begin within this time. */
  overMs: z.int().min(1).max(3_600_000).default(60_000),
  /** Limits the trouble to one channel. */
  cname: z.string().optional(),
});

export type ScheduleOrder = z.input<typeof scheduleRules>;

export interface FaultSchedule {
  seed: number;
  faults: { atMs: number; fault: Fault }[];
}

type Draw = (below: number) => number;

const webhookTypes = [1, 4, 11, 12, 30, 31, 32, 40, 41, 42, 43, 44];
const answersOf = {
  acquire: [429, 500, 503, 504],
  start: [206, 429, 500, 503, 504],
  query: [206, 429, 503, 504],
  stop: [206, 429, 500, 503, 504],
} as const;
const callsOf = Object.keys(answersOf) as (keyof typeof answersOf)[];

/**
 * One generator per kind of trouble. Everything passes after a few seconds at most, so that whoever talks to the service
 * can come out of it; what ends a recording for good (a refused store, a recorder that dies) is left to be asked for.
 */
const generators: ((draw: Draw) => z.input<typeof faultRules>)[] = [
  (draw) => ({ kind: "lose_reply", call: pick(callsOf, draw) }),
  (draw) => ({ kind: "delay", call: pick(callsOf, draw), ms: 50 + draw(3_000) }),
  (draw) => {
    const call = pick(callsOf, draw);
    return { kind: "answer", call, status: pick(answersOf[call], draw) };
  },
  (draw) => ({ kind: "gone", ms: 200 + draw(4_000) }),
  (draw) => ({ kind: "failover", ms: 200 + draw(4_000) }),
  (draw) => ({ kind: "backup_cloud", ms: 500 + draw(5_000) }),
  (draw) => ({ kind: "drop_webhook", eventType: pick(webhookTypes, draw), times: 1 + draw(2) }),
  (draw) => ({
    kind: "duplicate_webhook",
    eventType: pick(webhookTypes, draw),
    as: pick(["same", "new notice", "other uid"] as const, draw),
  }),
  (draw) => ({ kind: "delay_webhook", eventType: pick(webhookTypes, draw), ms: 100 + draw(5_000) }),
  (draw) => ({ kind: "shuffle_webhooks", ms: 100 + draw(2_000), seed: draw(1_000_000), times: 5 + draw(20) }),
];

/** Plans the faults of a seed. Pure but for the seed that is drawn where none is given. */
export function planFaults(order: ScheduleOrder): FaultSchedule {
  const { faults, overMs, cname, seed = randomInt(4_294_967_296) } = scheduleRules.parse(order);
  const random = seeded(seed);
  const draw: Draw = (below) => Math.floor(random() * below);
  const planned = Array.from({ length: faults }, () => {
    const atMs = draw(overMs);
    const fault = pick(generators, draw)(draw);
    return { atMs, fault: faultRules.parse(cname === undefined ? fault : { ...fault, cname }) };
  });
  return { seed, faults: planned.sort((a, b) => a.atMs - b.atMs) };
}

/** Runs schedules against a service: each fault is switched on at its moment. */
export class FaultSchedules {
  readonly #switchOn: (fault: Fault) => void;
  readonly #log: Log;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(switchOn: (fault: Fault) => void, log: Log) {
    this.#switchOn = switchOn;
    this.#log = log;
  }

  begin(order: ScheduleOrder): FaultSchedule {
    const schedule = planFaults(order);
    this.#log("trouble by seed", { seed: schedule.seed, faults: schedule.faults.length });
    for (const { atMs, fault } of schedule.faults) {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#switchOn(fault);
      }, atMs);
      this.#timers.add(timer);
    }
    return schedule;
  }

  /** Calls off what has not begun. */
  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}

function pick<Value>(values: readonly Value[], draw: Draw): Value {
  const value = values[draw(values.length)];
  if (value === undefined) throw new RangeError("nothing to pick from");
  return value;
}
