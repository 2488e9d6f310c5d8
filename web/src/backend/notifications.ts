import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import * as z from "zod/mini";
import { ask } from "./ask.ts";
import { rowsTopic } from "./channels.ts";
import { backend, queries } from "./client.ts";
import { keys } from "./keys.ts";
import { watch } from "./live.ts";
import { type Loaded, loadedOf } from "./people.ts";
import { moment, readRows } from "./rows.ts";
import { useUserId } from "./session.ts";

const notification = z.object({
  id: z.uuid(),
  recording_id: z.uuid(),
  kind: z.enum(["recording_ready", "recording_failed", "recording_expiring"]),
  payload: z.object({
    mentorship_id: z.optional(z.uuid()),
    call_id: z.optional(z.uuid()),
    code: z.optional(z.string()),
    duration_ms: z.optional(z.number()),
    expires_at: z.optional(moment),
  }),
  created_at: moment,
  read_at: z.nullable(moment),
});
/** What a person is told about a recording. */
export type Notification = z.output<typeof notification>;

/** The bell looks back on so many. */
const shown = 50;

async function fetchNotifications(): Promise<Notification[]> {
  const data = await ask(
    backend()
      .from("notifications")
      .select("id,recording_id,kind,payload,created_at,read_at")
      .order("created_at", { ascending: false })
      .limit(shown),
  );
  return readRows(notification, data, "The notifications");
}

/** The newest notifications of the signed-in person, kept fresh. */
export function useNotifications(): Loaded<Notification[]> {
  const userId = useUserId();
  const query = useQuery({
    queryKey: keys.notifications,
    queryFn: fetchNotifications,
    enabled: userId !== undefined,
  });
  useEffect(() => {
    if (userId === undefined) return;
    const refetch = () => queries.refetchQueries({ queryKey: keys.notifications });
    return watch({
      topic: rowsTopic(userId),
      take: (event) => event === "notifications" && void refetch(),
      snapshot: refetch,
      // They come from elsewhere at any time; the subscription and the return to the page bring them.
      isFinal: () => false,
    });
  }, [userId]);
  return loadedOf(query);
}

/** Marks notifications as read, at once on the page. Throws BackendError; then they are unread again. */
export async function markRead(ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const readAt = new Date().toISOString();
  const before = queries.getQueryData<Notification[]>(keys.notifications);
  const marked = new Set(ids);
  queries.setQueryData<Notification[]>(keys.notifications, (list) =>
    list?.map((row) => (marked.has(row.id) && row.read_at === null ? { ...row, read_at: readAt } : row)),
  );
  try {
    await ask(
      backend()
        .from("notifications")
        .update({ read_at: readAt })
        .in("id", [...ids])
        .is("read_at", null),
    );
  } catch (error) {
    queries.setQueryData(keys.notifications, before);
    throw error;
  }
}
