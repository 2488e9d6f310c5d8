import { type Backend, queries, replaceBackend } from "../src/backend/client.ts";

/** What a question was answered with: data, or an error of PostgREST's form. */
export type Answer = { data: unknown } | { error: { code: string; message: string }; status?: number };

/**
 * Puts a backend in place that answers RPCs and tables by name with what is given, and whose channels never join. Gives what was
 * asked, in order.
 */
export function answerWith(answers: Record<string, (given: unknown) => Answer>): string[] {
  const asked: string[] = [];
  const answer = (name: string, given?: unknown) => {
    asked.push(name);
    const found = answers[name]?.(given) ?? { data: [] };
    return "error" in found
      ? { data: null, error: found.error, status: found.status ?? 409 }
      : { data: found.data, error: null, status: 200 };
  };
  const channel = {
    on: () => channel,
    subscribe: () => channel,
    track: async () => "ok",
    presenceState: () => ({}),
  };
  const table = (name: string): object => {
    // Whatever is chained, the end of it is awaited.
    const chain: object = new Proxy(
      {},
      {
        get: (_, step) =>
          step === "then" ? (done: (value: unknown) => unknown) => done(answer(name)) : () => chain,
      },
    );
    return chain;
  };
  queries.clear();
  replaceBackend({
    rpc: async (name: string, given: unknown) => answer(name, given),
    from: table,
    channel: () => channel,
    removeChannel: async () => "ok",
    functions: { invoke: async (name: string) => answer(name) },
    auth: { getSession: async () => ({ data: { session: null } }) },
  } as unknown as Backend);
  return asked;
}
