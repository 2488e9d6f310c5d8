import { useQuery } from "@tanstack/react-query";
import * as z from "zod/mini";
import { ask } from "./ask.ts";
import { backend } from "./client.ts";
import { keys } from "./keys.ts";
import { pollMs } from "./live.ts";
import { type Loaded, loadedOf } from "./people.ts";
import { maybeMoment, moment, readRow, readRows } from "./rows.ts";

const alert = z.object({
  id: z.uuid(),
  rule: z.string(),
  severity: z.enum(["critical", "warning"]),
  state: z.enum(["firing", "resolved"]),
  /** What is wrong, in the rule's own sentence; `explanation` has the figures. */
  message: z.string(),
  explanation: z.string(),
  /** A heading of docs/operations.md: `#alert-dead_job`. */
  runbook: z.string(),
  fired_at: moment,
  resolved_at: maybeMoment,
});
/** Something that administrators must hear of, or that they had to. */
export type Alert = z.output<typeof alert>;

export interface Alerts extends Loaded<Alert[]> {
  /** The moment (ISO 8601) of what is shown, where it could not be asked for anew since; undefined while it could. */
  oldSince: string | undefined;
}

async function fetchIsAdministrator(): Promise<boolean> {
  return readRow(
    z.boolean(),
    await ask(backend().rpc("is_portal_administrator")),
    "Whether one is an administrator",
  );
}

/** Whether the signed-in person sees alerts; false until it is known. For showing a way there: the database decides what is seen. */
export function useIsAdministrator(): boolean {
  return useQuery({ queryKey: keys.isAdministrator, queryFn: fetchIsAdministrator }).data ?? false;
}

/** What fires, newest first, then what is over; null for everybody who is no administrator. Throws BackendError. */
async function fetchAlerts(): Promise<Alert[] | null> {
  const alerts = readRows(alert, await ask(backend().rpc("list_alerts")), "The alerts");
  // Others are given an empty list, as if all were well. "Nothing is wrong" is said only to who would be told.
  return alerts.length > 0 || (await fetchIsAdministrator()) ? alerts : null;
}

/**
 * The alerts, kept fresh while they are shown; `missing` for who is no administrator. They are asked for every 30 s, and when the page
 * comes back, not pushed: they belong to no call and no mentorship, so a push would want a topic, a policy and a trigger of its own for the one
 * page that now and then somebody has open, and rules are asked every 10 s anyway. Who must hear of one at once is told in the chat.
 */
export function useAlerts(): Alerts {
  const query = useQuery({
    queryKey: keys.alerts,
    queryFn: fetchAlerts,
    staleTime: 0,
    // Only while the page is seen; nobody is told anew that there is nothing for them.
    refetchInterval: ({ state }) => (state.data === null ? false : pollMs),
    refetchOnWindowFocus: true,
    refetchOnReconnect: true,
  });
  return {
    ...loadedOf(query),
    oldSince: query.isRefetchError ? new Date(query.dataUpdatedAt).toISOString() : undefined,
  };
}
