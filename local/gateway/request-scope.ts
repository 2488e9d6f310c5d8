import { AsyncLocalStorage } from "node:async_hooks";

/** What travels with one request through lite, which hands its connection neither the request nor its outcome. */
export interface RequestScope {
  method: string;
  /** As PostgREST sees it, without /rest/v1. */
  path: string;
  headers: Record<string, string>;
  /** The schema that the request's profile header names, or the default one. */
  schema: string;
  /** The role that it ran as, once the database was asked. */
  role?: string;
  /** What the database answered with, where it refused or was not there; or what went wrong in lite. */
  error?: unknown;
}

export const requestScope = new AsyncLocalStorage<RequestScope>();

/**
 * lite prints each error with its stack to the console, refusals of the database too; the gateway says each in one line. What
 * is printed outside of a request still gets through.
 *
 * @returns ends it
 */
export function muteLite(): () => void {
  const print = console.error;
  console.error = (...words: unknown[]) => {
    const scope = requestScope.getStore();
    const error = words.find((word) => word instanceof Error);
    if (!scope || !error) print(...words);
    else scope.error ??= error;
  };
  return () => {
    console.error = print;
  };
}
