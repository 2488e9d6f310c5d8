import { type Answer, refusedAnswer } from "../answers.ts";
import type { Unconfirmed } from "../unconfirmed.ts";
import { acquireRefusals } from "./acquire.ts";
import { gatewayRefusals } from "./gateway.ts";
import { onDemandRefusals } from "./on-demand.ts";
import { recorderRefusals } from "./recorder.ts";
import type { LateRefusal, RefusalRule } from "./refusal.ts";
import {
  queryRefusals,
  stopRefusals,
  taskBodyRefusals,
  taskRefusals,
  updateLayoutRefusals,
  updateRefusals,
} from "./running-tasks.ts";
import { startRefusals } from "./start.ts";
import { startBodyRefusals, startRequestRefusals } from "./start-body.ts";
import { storageConfigRefusals } from "./storage-config.ts";

/** Everything that this service refuses. Whatever it answers but 200 comes from here. */
export const REFUSALS = {
  ...gatewayRefusals,
  ...acquireRefusals,
  ...startBodyRefusals,
  ...startRefusals,
  ...startRequestRefusals,
  ...storageConfigRefusals,
  ...taskBodyRefusals,
  ...taskRefusals,
  ...queryRefusals,
  ...updateRefusals,
  ...updateLayoutRefusals,
  ...stopRefusals,
  ...recorderRefusals,
  ...onDemandRefusals,
};

export type RefusalId = keyof typeof REFUSALS;
export type RefusalList = { readonly [id in RefusalId]?: RefusalRule };

/** Ids of the rules about a body, in the order in which the service looks at them. */
type RulesOfBody = Readonly<Record<string, RefusalRule>>;

/** The refusals of one running service: a list, and which way it goes where Agora does not say. */
export class Refusals {
  readonly #list: RefusalList;
  readonly #variant: Unconfirmed;

  /** `list` is all there is, except for the test that leaves one rule out at a time. */
  constructor(variant: Unconfirmed, list: RefusalList = REFUSALS) {
    this.#variant = variant;
    this.#list = list;
  }

  /** The answer of this rule where the list holds it and it is met; null where the call goes on. */
  when(id: RefusalId, isMet: () => boolean): Answer | null {
    const rule = this.#list[id];
    if (rule === undefined || !isMet()) return null;
    const answer = typeof rule.answer === "function" ? rule.answer(this.#variant) : rule.answer;
    if ("event" in answer) throw new Error(`${id} comes by event, not as an answer`);
    return refusedAnswer(id, answer);
  }

  /** The answer of the first of these rules that refuses the body; `except` are switched off by the variant. */
  ofBody(rules: RulesOfBody, body: unknown, except: readonly RefusalId[] = []): Answer | null {
    for (const id of Object.keys(rules) as RefusalId[]) {
      if (except.includes(id)) continue;
      const refused = this.when(id, () => this.#list[id]?.refuses?.(body) ?? false);
      if (refused) return refused;
    }
    return null;
  }

  /** What event 1 tells of this rule where the list holds it and it is met; null where the recorder goes on. */
  late(id: RefusalId, isMet: () => boolean): { id: RefusalId; event: LateRefusal["event"] } | null {
    const rule = this.#list[id];
    if (rule === undefined || !isMet()) return null;
    if (typeof rule.answer === "function" || !("event" in rule.answer)) {
      throw new Error(`${id} is an answer, it does not come by event`);
    }
    return { id, event: rule.answer.event };
  }
}
