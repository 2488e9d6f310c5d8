import { isDeepStrictEqual } from "node:util";
import type { RealtimeContext, Reply } from "./channels.ts";
import { type Join, JoinRefused } from "./joins.ts";
import { PresenceCalls } from "./presence-limits.ts";
import type { PresenceReceiver } from "./presences.ts";
import type { TopicRights } from "./rights.ts";
import type { Claims } from "./tokens.ts";

/** What comes of a presence push: a reply, or the message with which the channel ends. */
export interface PresenceOutcome {
  reply?: Reply;
  end?: string;
  /** Presence was off for this channel, and is on from here. */
  isNewcomer?: boolean;
}

/** Keys of one presence object, from the service's table of limits. */
const mostKeys = 10;

const ok: PresenceOutcome = { reply: { status: "ok", response: {} } };
const refused: PresenceOutcome = { reply: { status: "error", response: {} } };
const malformed = (reason: string): PresenceOutcome => ({ reply: { status: "error", response: { reason } } });

/** One channel's own presence: track, untrack, and their limits, in the service's order. */
export class ChannelPresence {
  readonly #context: RealtimeContext;
  readonly #topic: string;
  readonly #isPrivate: boolean;
  readonly #key: string;
  readonly #rights: TopicRights;
  readonly #receiver: PresenceReceiver;
  readonly #calls: PresenceCalls;
  #said: object | undefined;
  /** The join asked for presence, or the channel has shown itself. */
  isEnabled: boolean;

  constructor(
    context: RealtimeContext,
    topic: string,
    { config }: Join,
    rights: TopicRights,
    receiver: PresenceReceiver,
  ) {
    this.#context = context;
    this.#topic = topic;
    this.#isPrivate = config.private;
    // A client that names no key is somebody of its own.
    this.#key = config.presence.key === "" ? crypto.randomUUID() : config.presence.key;
    this.#rights = rights;
    this.#receiver = receiver;
    const { presenceCallsPerWindow, presenceWindowMs } = context.settings;
    this.#calls = new PresenceCalls(presenceCallsPerWindow, presenceWindowMs);
    this.isEnabled = config.presence.enabled;
  }

  async handle(body: object, claims: Claims): Promise<PresenceOutcome> {
    const event = "event" in body && typeof body.event === "string" ? body.event.toLowerCase() : undefined;
    if (event === undefined) return ok;
    if (!this.#calls.take(performance.now())) return { end: "Client presence rate limit exceeded" };
    if (event === "untrack") {
      this.#context.presences.untrack(this.#topic, this.#isPrivate, this.#receiver);
      this.#said = undefined;
      return ok;
    }
    if (event !== "track") return refused;
    try {
      await this.#rights.wantPresence(claims);
    } catch (error) {
      if (error instanceof JoinRefused) return refused;
      throw error;
    }
    if (!(await this.#rights.mayWrite(claims, "presence"))) return refused;
    return this.#track("payload" in body ? body.payload : {});
  }

  #track(said: unknown): PresenceOutcome {
    if (typeof said !== "object" || said === null || Array.isArray(said)) {
      return malformed("Presence track payload must be a map");
    }
    if (this.#said !== undefined && isDeepStrictEqual(this.#said, said)) return ok;
    if (Object.keys(said).length > mostKeys)
      return malformed(`Presence track payload has more than ${mostKeys} keys`);
    if (Buffer.byteLength(JSON.stringify(said)) > this.#context.settings.maxBroadcastBytes) {
      return { end: "Track message size exceeded" };
    }
    if (!this.#context.presenceRate.take(performance.now())) {
      return { end: "Too many presence messages per second" };
    }
    const isNewcomer = !this.isEnabled;
    this.isEnabled = true;
    this.#said = said;
    this.#context.presences.track(this.#topic, this.#isPrivate, this.#receiver, this.#key, said);
    return { ...ok, isNewcomer };
  }
}
