import type { Sql } from "postgres";
import { type Log, reasonOf } from "../stack/part.ts";
import { type Join, JoinRefused } from "./joins.ts";
import { mayWrite, PolicyError, type ReadRights, readRights, type Written } from "./policies.ts";
import type { Claims } from "./tokens.ts";

/**
 * What one channel may do on its topic. The policies are asked for reading when the channel joins, for writing at its
 * first broadcast and its first presence; the answers hold until a new token comes. On a public topic everybody may do everything.
 */
export class TopicRights {
  readonly #sql: Sql;
  readonly #log: Log;
  readonly #topic: string;
  readonly #headers: Record<string, string>;
  readonly #isPrivate: boolean;
  readonly #writes = new Map<Written, boolean>();
  #wantsPresence: boolean;
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
    this.#writes.clear();
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

  /** Asks, once, what is left out at a join without presence. Throws JoinRefused when the database cannot be asked. */
  async wantPresence(claims: Claims): Promise<void> {
    if (this.#wantsPresence) return;
    this.#wantsPresence = true;
    await this.ask(claims);
  }

  /** May the claims write this? A policy that fails denies, and is asked again next time. */
  async mayWrite(claims: Claims, extension: Written): Promise<boolean> {
    if (!this.#isPrivate) return true;
    const known = this.#writes.get(extension);
    if (known !== undefined) return known;
    try {
      const asker = { topic: this.#topic, claims, headers: this.#headers };
      const may = await mayWrite(this.#sql, asker, extension);
      this.#writes.set(extension, may);
      return may;
    } catch (error) {
      this.#log("policies for writing could not be asked", { topic: this.#topic, reason: reasonOf(error) });
      return false;
    }
  }
}
