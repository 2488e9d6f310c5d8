import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { QueryClient } from "@tanstack/react-query";
import type { Database } from "../../../supabase/database.types.ts";
import type { PortalSettings } from "./settings.ts";

export type Backend = SupabaseClient<Database>;

let client: Backend | undefined;
let used: PortalSettings | undefined;

/** Makes the one client of this page; called once, before anything is shown. */
export function startBackend(settings: PortalSettings): Backend {
  used = settings;
  client = createClient<Database>(settings.supabaseUrl, settings.supabaseKey, {
    auth: { flowType: "pkce", storageKey: "portal-session" },
    // A tab in the background has slow timers; in a worker the heartbeat goes on. A file, because the policy knows no blob: here.
    realtime: { worker: true, workerUrl: "/heartbeat.js" },
  });
  return client;
}

/** The client. Throws before `startBackend`. */
export function backend(): Backend {
  if (client === undefined) throw new Error("the backend is asked before startBackend");
  return client;
}

/** What `startBackend` was given. */
export function settingsInUse(): PortalSettings {
  if (used === undefined) throw new Error("the backend is asked before startBackend");
  return used;
}

/** Puts another client in place (tests). */
export function replaceBackend(replacement: Backend): void {
  client = replacement;
  used = { supabaseUrl: "http://127.0.0.1", supabaseKey: "sb_publishable_test" };
}

/**
 * What the page has of the server. Realtime keeps it fresh (see live.ts), so nothing goes stale by itself; what is asked again is
 * asked by live.ts. Errors of a network are tried twice more, refusals never.
 */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: 10 * 60_000,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      retry: (failures, error) => failures < 2 && isOfTheNetwork(error),
      retryDelay: (attempt) => 400 * 2 ** attempt,
      // Offline, a query fails and says so, rather than hang.
      networkMode: "always",
    },
    mutations: { retry: false, networkMode: "always" },
  },
});

function isOfTheNetwork(error: unknown): boolean {
  return (
    error instanceof Error && "code" in error && error.code === "backend_unreachable" && navigator.onLine
  );
}
