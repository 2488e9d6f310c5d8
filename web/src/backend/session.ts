import type { AuthChangeEvent, Session as AuthSession } from "@supabase/supabase-js";
import { useSyncExternalStore } from "react";
import * as z from "zod/mini";
import { backend, queries, settingsInUse } from "./client.ts";
import { asBackendError, type BackendError } from "./errors.ts";
import { forgetRows } from "./newest.ts";

/** Who is signed in. `expired`: somebody was, and their page stays as it is until they sign in again over it. */
export type Session =
  | { status: "loading" }
  | { status: "signed_out" }
  | { status: "signed_in" | "expired"; userId: string; email: string };

let current: Session = { status: "loading" };
const listeners = new Set<() => void>();

function become(next: Session): void {
  const isSame =
    current.status === next.status &&
    (!("userId" in current) ||
      !("userId" in next) ||
      (current.userId === next.userId && current.email === next.email));
  // A renewed token changes nothing that is shown: whoever looks keeps the very same object.
  if (isSame) return;
  const before = "userId" in current ? current.userId : undefined;
  const after = "userId" in next ? next.userId : undefined;
  current = next;
  if (before !== undefined && before !== after) {
    queries.clear();
    forgetRows();
  }
  for (const listener of listeners) listener();
}

/** The session as it is now. */
export const currentSession = (): Session => current;

/** Calls back at each change of `currentSession`; gives the function that ends it. */
export function onSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The session, for components. */
export function useSession(): Session {
  return useSyncExternalStore(onSession, currentSession);
}

/** Id of whoever is signed in, also while they are asked to sign in again; undefined for nobody. */
export function useUserId(): string | undefined {
  const session = useSession();
  return "userId" in session ? session.userId : undefined;
}

let otherTabs: BroadcastChannel | undefined;
let isLeaving = false;

/** Follows Auth from now on. Called once, after `startBackend`. */
export function followSession(): void {
  otherTabs = new BroadcastChannel("portal-session");
  // What Auth tells the other tabs does not say whether somebody wanted it.
  otherTabs.onmessage = ({ data }) => {
    isLeaving = data === "leaving";
  };
  backend().auth.onAuthStateChange(follow);
}

// Nothing is asked of supabase-js in here: it holds its lock while it calls.
function follow(event: AuthChangeEvent, session: AuthSession | null | undefined): void {
  if (session) {
    isLeaving = false;
    become({ status: "signed_in", userId: session.user.id, email: session.user.email ?? "" });
  } else if (event === "SIGNED_OUT" && !isLeaving && "userId" in current) {
    become({ ...current, status: "expired" });
  } else if (event === "INITIAL_SESSION" || isLeaving) {
    become({ status: "signed_out" });
  }
}

/** The server did not accept the session, whatever the browser believes: asks to sign in over the page. */
export function sessionWasRefused(): void {
  if (current.status === "signed_in") become({ ...current, status: "expired" });
}

/** Signs in. Throws BackendError: credentials_wrong, too_many_tries, backend_unreachable … */
export async function signIn(email: string, password: string): Promise<void> {
  const { data, error } = await backend().auth.signInWithPassword({ email, password });
  if (error !== null) throw asBackendError(error, error.status);
  become({ status: "signed_in", userId: data.user.id, email: data.user.email ?? email });
}

/** Leaves for Discord, which sends the person back to `returnTo` (a path of the portal). Throws BackendError. */
export async function signInWithDiscord(returnTo: string): Promise<void> {
  const redirectTo = new URL(`/sign-in?to=${encodeURIComponent(returnTo)}`, location.origin).href;
  const { error } = await backend().auth.signInWithOAuth({ provider: "discord", options: { redirectTo } });
  if (error !== null) throw asBackendError(error, error.status);
}

/** Signs this browser out, all its tabs. Throws BackendError; then the person is still signed in. */
export async function signOut(): Promise<void> {
  isLeaving = true;
  otherTabs?.postMessage("leaving");
  try {
    const { error } = await backend().auth.signOut({ scope: "local" });
    // A session that the server does not know any more is gone just the same.
    if (error !== null && asBackendError(error, error.status).code !== "sign_in_required") {
      throw asBackendError(error, error.status);
    }
    become({ status: "signed_out" });
  } catch (error) {
    otherTabs?.postMessage("staying");
    throw error;
  } finally {
    isLeaving = false;
  }
}

/** Renews the token where it is about to end. For pages that come back from the background. */
export async function renewSession(): Promise<void> {
  await backend().auth.getSession();
}

const authSettings = z.object({ external: z.record(z.string(), z.boolean()) });

/** The ways to sign in beside e-mail that Auth is set up for. Nothing, where it does not say. */
export async function signInWays(): Promise<{ discord: boolean }> {
  const { supabaseUrl, supabaseKey } = settingsInUse();
  try {
    const response = await fetch(`${supabaseUrl}/auth/v1/settings`, { headers: { apikey: supabaseKey } });
    const read = authSettings.safeParse(await response.json());
    return { discord: read.success && read.data.external.discord === true };
  } catch {
    return { discord: false };
  }
}

/** Refusals of link_my_profile that say: there is nothing to link. Anybody may sign in; whom they meet is another matter. */
const nothingToLink: ReadonlySet<string> = new Set(["discord_missing", "profile_not_found"]);

/**
 * Ties a fresh sign-in to the mentor or mentee with its Discord account. Gives the refusal that a person should hear of
 * (profile_taken, profile_ambiguous); undefined where all is well or there is nothing to tie.
 */
export async function linkProfile(): Promise<BackendError | undefined> {
  const { data } = await backend().auth.getSession();
  const providers: unknown = data.session?.user.app_metadata.providers;
  // Only Discord says whom a person is; to be refused what everybody else is refused would be noise.
  if (!Array.isArray(providers) || !providers.includes("discord")) return undefined;
  const { error, status } = await backend().rpc("link_my_profile");
  if (error === null) return undefined;
  const told = asBackendError(error, status);
  return nothingToLink.has(told.code) ? undefined : told;
}

/** Whoever's session ended does not come back: the page is cleared for somebody else. */
export function forgetSession(): void {
  become({ status: "signed_out" });
}
