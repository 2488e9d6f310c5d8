import { AsyncLocalStorage } from "node:async_hooks";
import type { ErrorExtras } from "../errors.ts";
import { S3Error } from "../errors.ts";
import { OBJECT_REFUSALS } from "./objects.ts";
import { REQUEST_REFUSALS } from "./requests.ts";
import type { Refusal } from "./row.ts";
import { SIGNATURE_REFUSALS } from "./signatures.ts";

/** Everything this store refuses, and where it is known from. There is no other way to refuse than by a row of it. */
export const REFUSALS = { ...SIGNATURE_REFUSALS, ...REQUEST_REFUSALS, ...OBJECT_REFUSALS };
export type RefusalId = keyof typeof REFUSALS;

export interface RefusalFacts extends Omit<ErrorExtras, "status"> {
  /** The sentence, where it is made of the request. */
  message?: string;
  /** The code, where the form of the request decides it. */
  code?: Refusal["code"];
}

const lacking = new AsyncLocalStorage<ReadonlySet<RefusalId>>();

/** Serves a request as a store would that lacks some rules: how a test shows that it is the rule that refuses. */
export function withoutRules<T>(rules: ReadonlySet<RefusalId>, serve: () => T): T {
  return lacking.run(rules, serve);
}

/** Refuses. @throws S3Error, unless the store lacks the rule: then the request goes on. */
export function refuse(id: RefusalId, facts: RefusalFacts = {}): void {
  if (lacking.getStore()?.has(id)) return;
  throw errorOf(id, facts);
}

/** The refusal to throw where there is no way to go on; a store that lacks the rule has no answer at all. */
export function refusal(id: RefusalId, facts: RefusalFacts = {}): Error {
  if (lacking.getStore()?.has(id)) return new Error(`no rule for ${id}`);
  return errorOf(id, facts);
}

function errorOf(id: RefusalId, { message, code, ...extras }: RefusalFacts): S3Error {
  const row: Refusal = REFUSALS[id];
  return new S3Error(code ?? row.code, message ?? row.message, extras);
}
