import type { RealtimeChannel } from "@supabase/supabase-js";
import { backend } from "./client.ts";
import { currentSession } from "./session.ts";

/** What somebody wants to hear of a topic. */
interface TopicListener {
  /** A message of the database: `call.changed`, `recording.changed`; or a table's name for rows. */
  heard?(event: string, payload: unknown): void;
  /** Live from now on, each time anew. What happened before may have been missed: fetch. */
  joined?(): void;
  /** Not live any more: poll until `joined`. */
  lost?(): void;
  /** Who is there, on call:<id>, by the key of each tab; what they say of themselves is their claim. */
  present?(people: Readonly<Record<string, readonly unknown[]>>): void;
}

interface Topic {
  name: string;
  channel: RealtimeChannel;
  isJoined: boolean;
  listeners: Set<TopicListener>;
  /** Ends the channel when nobody has listened for a moment. */
  closing: ReturnType<typeof setTimeout> | undefined;
  reopening: ReturnType<typeof setTimeout> | undefined;
  failures: number;
  /** What this tab says of itself, said again after each rejoin. */
  presence: Record<string, unknown> | undefined;
}

/** Long enough for a page to hand over to the next, and for effects that run twice in development. */
const lingerMs = 1_000;
const longestReopenMs = 30_000;

const topics = new Map<string, Topic>();
/** One person in two tabs is there twice. */
const tabId = crypto.randomUUID();

/** Topic of the rows that concern one person: their notifications, and the calls they may see. */
export const rowsTopic = (userId: string): string => `rows:${userId}`;

/**
 * Listens on a topic: `call:<id>` and `mentorship:<id>` (private), `rows:<user id>`. However many listen, there is one channel, and
 * it is closed when the last one has left. Gives the function that leaves.
 */
export function listen(name: string, listener: TopicListener): () => void {
  const topic = topics.get(name) ?? open(name);
  clearTimeout(topic.closing);
  topic.closing = undefined;
  topic.listeners.add(listener);
  if (topic.isJoined) queueMicrotask(() => topic.listeners.has(listener) && listener.joined?.());
  return () => {
    if (!topic.listeners.delete(listener) || topic.listeners.size > 0) return;
    clearTimeout(topic.closing);
    topic.closing = setTimeout(() => close(topic), lingerMs);
  };
}

/**
 * Says on a topic that one listens to that this tab is here, until `hidePresence` or until the topic is left. Small and for display:
 * others see it as this person's claim.
 */
export function showPresence(name: string, claim: Record<string, unknown>): void {
  const topic = topics.get(name);
  if (topic === undefined) return;
  topic.presence = claim;
  if (topic.isJoined) void topic.channel.track(claim).catch(() => undefined);
}

/** Takes `showPresence` back. */
export function hidePresence(name: string): void {
  const topic = topics.get(name);
  if (topic === undefined) return;
  topic.presence = undefined;
  if (topic.isJoined) void topic.channel.untrack().catch(() => undefined);
}

function open(name: string): Topic {
  const topic: Topic = {
    name,
    channel: makeChannel(name),
    isJoined: false,
    listeners: new Set(),
    closing: undefined,
    reopening: undefined,
    failures: 0,
    presence: undefined,
  };
  topics.set(name, topic);
  join(topic);
  return topic;
}

function makeChannel(name: string): RealtimeChannel {
  const realtime = backend();
  if (name.startsWith("rows:")) return realtime.channel(name);
  const session = currentSession();
  const key = "userId" in session ? `${session.userId}:${tabId}` : tabId;
  return realtime.channel(name, { config: { private: true, presence: { key } } });
}

function join(topic: Topic): void {
  const { channel, name } = topic;
  const tell = (event: string, payload: unknown) => {
    for (const listener of [...topic.listeners]) listener.heard?.(event, payload);
  };
  if (name.startsWith("rows:")) {
    const filter = `user_id=eq.${name.slice("rows:".length)}`;
    channel
      .on("postgres_changes", { event: "*", schema: "public", table: "notifications", filter }, (change) =>
        tell("notifications", change.new),
      )
      .on("postgres_changes", { event: "*", schema: "public", table: "video_calls" }, (change) =>
        tell("video_calls", change.new),
      );
  } else {
    channel.on("broadcast", { event: "*" }, ({ event, payload }) => tell(event, payload));
    if (name.startsWith("call:")) {
      channel.on("presence", { event: "sync" }, () => {
        const people = channel.presenceState();
        for (const listener of [...topic.listeners]) listener.present?.(people);
      });
    }
  }
  channel.subscribe((state) => {
    // A channel that was replaced or left has nothing to say any more.
    if (topic.channel !== channel || topics.get(name) !== topic) return;
    if (state === "SUBSCRIBED") {
      topic.isJoined = true;
      topic.failures = 0;
      if (topic.presence !== undefined) void channel.track(topic.presence).catch(() => undefined);
      for (const listener of [...topic.listeners]) listener.joined?.();
      return;
    }
    if (topic.isJoined) for (const listener of [...topic.listeners]) listener.lost?.();
    topic.isJoined = false;
    // Errors and time-outs are tried again by realtime-js itself; a channel that was closed is not.
    if (state === "CLOSED") reopen(topic);
  });
}

function reopen(topic: Topic): void {
  const delay = Math.min(longestReopenMs, 1_000 * 2 ** topic.failures);
  topic.failures += 1;
  clearTimeout(topic.reopening);
  topic.reopening = setTimeout(() => {
    if (topics.get(topic.name) !== topic) return;
    void backend().removeChannel(topic.channel);
    topic.channel = makeChannel(topic.name);
    join(topic);
  }, delay);
}

function close(topic: Topic): void {
  topics.delete(topic.name);
  clearTimeout(topic.reopening);
  void backend().removeChannel(topic.channel);
}
