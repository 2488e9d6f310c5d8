import { setTimeout as pause } from "node:timers/promises";
import type { Sql } from "postgres";
import { reasonOf } from "../stack/part.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { ChangeListener, Subscription } from "./changes.ts";
import type { Binding } from "./joins.ts";
import type { Replication } from "./replication.ts";
import { checkBinding, parseBinding, SubscriptionRefused } from "./subscriptions.ts";
import type { Claims } from "./tokens.ts";

const retryMs = 500;

/**
 * The postgres_changes bindings of one channel. They become subscriptions once the database has accepted them and the
 * replication stream is live; a new token or a new stream checks them again.
 */
export class ChangeSubscriber {
  readonly #sql: Sql;
  readonly #feed: ChangeFeed;
  readonly #replication: Replication;
  readonly #bindings: Binding[];
  readonly #listener: ChangeListener;
  #subscriptions: Subscription[] = [];
  #round = 0;

  constructor(
    sql: Sql,
    feed: ChangeFeed,
    replication: Replication,
    bindings: Binding[],
    listener: ChangeListener,
  ) {
    this.#sql = sql;
    this.#feed = feed;
    this.#replication = replication;
    this.#bindings = bindings;
    this.#listener = listener;
  }

  get isEmpty(): boolean {
    return this.#bindings.length === 0;
  }

  /**
   * Makes the subscriptions exist with these claims. Until the database can be asked and the stream is live it tries
   * on. Resolves to true when they exist, to false when a later call or stop() overtook this one.
   * Throws SubscriptionRefused when the parameters or rights do not allow them; then none of them exists.
   */
  async subscribe(claims: Claims, onRetry: (reason: string) => void): Promise<boolean> {
    const round = ++this.#round;
    let hasRetried = false;
    while (this.#round === round) {
      try {
        const subscriptions = await this.#checked(claims);
        await this.#replication.live();
        if (this.#round !== round) return false;
        this.#replace(subscriptions);
        return true;
      } catch (error) {
        if (error instanceof SubscriptionRefused) {
          if (this.#round === round) this.#replace([]);
          throw error;
        }
        if (this.#round !== round) return false;
        if (!hasRetried) onRetry(reasonOf(error));
        hasRetried = true;
        await pause(retryMs, undefined, { ref: false });
      }
    }
    return false;
  }

  stop(): void {
    this.#round++;
    this.#replace([]);
  }

  async #checked(claims: Claims): Promise<Subscription[]> {
    const subscriptions: Subscription[] = [];
    for (const { id, parameters } of this.#bindings) {
      const wanted = await checkBinding(this.#sql, parseBinding(parameters), claims.role);
      subscriptions.push({ id, wanted, claims, listener: this.#listener });
    }
    return subscriptions;
  }

  #replace(subscriptions: Subscription[]): void {
    for (const subscription of this.#subscriptions) this.#feed.remove(subscription);
    for (const subscription of subscriptions) this.#feed.add(subscription);
    this.#subscriptions = subscriptions;
  }
}
