import type { Sql } from "postgres";
import { type Log, reasonOf } from "../stack/part.ts";
import { type Join, JoinRefused } from "./joins.ts";
import { mayBroadcast, PolicyError, type ReadRights, readRights } from "./policies.ts";
import type { Claims } from "./tokens.ts";

/**
 * What one channel may do on its topic. The policies are asked for reading when the channel joins, for sending at its
 * first broadcast; the answers hold until a new token comes. On a public topic everybody may do everything.
 */
export class TopicRights {
  readonly #sql: Sql;
  readonly #log: Log;
  readonly #topic: string;
  readonly #headers: Record<string, string>;
  readonly #isPrivate: boolean;
  readonly #wantsPresence: boolean;
  #mayBroadcast: boolean | undefined;
  /** What the last claims asked for may read. */
  reads: ReadRights = { broadcast: true, presence: true };

  constructor(sql: Sql, log: Log, topic: string, headers: Record<string, string>, { config }: Join) {
    this.#sql = sql;
    this.#log = log;
    this.#topic = topic;
    this.#headers = headers;
    this.#isPrivate = config.private;
    this.#wantsPresence = config.presence.enabled;
  }

  /** Asks what the claims may read, and forgets what others may send. Throws JoinRefused when it is nothing. */
  async ask(claims: Claims): Promise<void> {
    this.#mayBroadcast = undefined;
    if (!this.#isPrivate) return;
    const unauthorized = `Unauthorized: You do not have permissions to read from this Channel topic: ${this.#topic}`;
    try {
      const asker = { topic: this.#topic, claims, headers: this.#headers };
      this.reads = await readRights(this.#sql, asker, this.#wantsPresence);
    } catch (error) {
      this.#log("policies for reading could not be asked", { topic: this.#topic, reason: reasonOf(error) });
      const reason = "UnableToConnectToProject: Realtime was unable to connect to the project database";
      throw new JoinRefused(error instanceof PolicyError ? unauthorized : reason);
    }
    if (!this.reads.broadcast && !this.reads.presence) throw new JoinRefused(unauthorized);
  }

  /** May the claims send? A policy that fails denies, and is asked again next time. */
  async mayBroadcast(claims: Claims): Promise<boolean> {
    if (!this.#isPrivate) return true;
    if (this.#mayBroadcast !== undefined) return this.#mayBroadcast;
    try {
      const asker = { topic: this.#topic, claims, headers: this.#headers };
      this.#mayBroadcast = await mayBroadcast(this.#sql, asker);
      return this.#mayBroadcast;
    } catch (error) {
      this.#log("policies for sending could not be asked", { topic: this.#topic, reason: reasonOf(error) });
      return false;
    }
  }
}
