import type { Log } from "../log.ts";
import { countStoreRequest } from "../trace.ts";
import type { B2Deps } from "./transport.ts";

/** What answers are no news: found, written, not there. */
const ORDINARY = (status: number) => status < 400 || status === 404;

/**
 * The same deps, with an eye on what goes to the store: every request is counted for its job, and one that fails is a line
 * of its own, with the store's request id, which Backblaze's support asks for. Paths are object keys; addresses are
 * signed in headers, so a line holds no secret. To be given to createB2Client and to nothing else.
 */
export function observeStore<Deps extends B2Deps>(deps: Deps, log: Log): Deps {
  const observed = async (
    method: string,
    address: string | URL,
    send: () => Promise<Response>,
  ): Promise<Response> => {
    const startedAt = deps.now();
    const key = decodeURIComponent(new URL(address).pathname);
    try {
      const response = await send();
      const ms = deps.now() - startedAt;
      countStoreRequest(ms, !ORDINARY(response.status));
      if (!ORDINARY(response.status)) {
        const request = response.headers.get("x-amz-request-id") ?? undefined;
        log("store.refused", { method, key, http: response.status, ms, request });
      }
      return response;
    } catch (thrown) {
      const ms = deps.now() - startedAt;
      countStoreRequest(ms, true);
      log("store.lost", { method, key, ms, reason: thrown instanceof Error ? thrown.name : "unknown" });
      throw thrown;
    }
  };
  const { fetch, sendStream } = deps;
  return {
    ...deps,
    fetch: ((input, init) =>
      observed(init?.method ?? "GET", input instanceof Request ? input.url : input, () =>
        fetch(input, init),
      )) satisfies typeof globalThis.fetch,
    ...(sendStream === undefined
      ? {}
      : {
          sendStream: ((request) =>
            observed(request.method, request.url, () => sendStream(request))) satisfies typeof sendStream,
        }),
  };
}
