import { AsyncLocalStorage } from "node:async_hooks";

/** What every line of the log carries while one job is being done. */
export interface Trace {
  /** Made with the wish; the same in the database and in every line about it. */
  correlation_id?: string | undefined;
  recording_id?: string | undefined;
  job_id: number;
  kind: string;
  /** Which recorder of the recording it is about. */
  attempt?: number | undefined;
}

/** What a job asked of a store, summed up: a line per request would drown the others. */
export interface StoreUse {
  requests: number;
  failed: number;
  /** Milliseconds, all requests together. */
  ms: number;
}

const current = new AsyncLocalStorage<{ trace: Trace; store: StoreUse }>();

/** Does `work` as part of a job: whatever is logged meanwhile carries its trace, jobs side by side do not mix. */
export async function traced<T>(trace: Trace, work: (store: Readonly<StoreUse>) => Promise<T>): Promise<T> {
  const store: StoreUse = { requests: 0, failed: 0, ms: 0 };
  return await current.run({ trace, store }, () => work(store));
}

/** The trace of the job that is being done; undefined outside of one. */
export const traceNow = (): Trace | undefined => current.getStore()?.trace;

/** Adds one request to what the present job asked of its store. */
export function countStoreRequest(ms: number, isFailed: boolean): void {
  const store = current.getStore()?.store;
  if (store === undefined) return;
  store.requests += 1;
  store.ms += ms;
  if (isFailed) store.failed += 1;
}
