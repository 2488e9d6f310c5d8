import { z } from "zod";

const call = z.enum(["acquire", "start", "query", "update", "updateLayout", "stop"]);
const times = z.int().positive().default(1);
const ms = z.int().min(0).max(600_000);

/** One switched-on fault. `times`: how often it strikes before it is used up. */
export const faultRules = z.discriminatedUnion("kind", [
  /** The call is carried out, but the connection breaks before its answer. */
  z.object({ kind: z.literal("lose_reply"), call, times }),
  /** The call is answered late. */
  z.object({ kind: z.literal("delay"), call, ms, times }),
  /** The call is not carried out and gets the documented error of this HTTP status. */
  z.object({ kind: z.literal("answer"), call, status: z.literal([206, 429, 500, 503, 504]), times }),
  /** Every task (or one) answers 404 for a while, as during a failover, and goes on recording. */
  z.object({ kind: z.literal("gone"), sid: z.string().optional(), ms }),
  z.object({ kind: z.literal("slow_upload"), ms }),
  /** The event is never sent. Without eventType: whichever comes next. */
  z.object({ kind: z.literal("drop_webhook"), eventType: z.int().optional(), times }),
  /** The event is sent twice. */
  z.object({ kind: z.literal("duplicate_webhook"), eventType: z.int().optional(), times }),
  /** The event is held back for this long, so that later ones overtake it. */
  z.object({ kind: z.literal("delay_webhook"), eventType: z.int().optional(), ms, times }),
]);

export type Fault = z.output<typeof faultRules>;
export type Call = z.output<typeof call>;

/** The faults that are switched on now. */
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

  /** Takes one strike of the first fault of this kind that `fits`; undefined when there is none. */
  take<Kind extends Fault["kind"]>(
    kind: Kind,
    fits: (fault: Extract<Fault, { kind: Kind }>) => boolean,
  ): Extract<Fault, { kind: Kind }> | undefined {
    for (const entry of this.#living()) {
      const { fault } = entry;
      if (!isKind(fault, kind) || !fits(fault)) continue;
      entry.left -= 1;
      return fault;
    }
    return undefined;
  }

  #living() {
    const now = Date.now();
    this.#active = this.#active.filter(({ left, until }) => left > 0 && until > now);
    return this.#active;
  }
}

function isKind<Kind extends Fault["kind"]>(
  fault: Fault,
  kind: Kind,
): fault is Extract<Fault, { kind: Kind }> {
  return fault.kind === kind;
}
