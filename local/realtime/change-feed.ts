import type { Sql } from "postgres";
import { type Log, reasonOf } from "../stack/part.ts";
import { type CommittedChange, deliverChanges, type Subscription } from "./changes.ts";
import type { Change, Transaction } from "./replication.ts";

const mostChangesAtOnce = 100;
/** A client that cannot be served any more must not fill the memory; hosted skips changes under load too. */
const mostChangesWaiting = 50_000;

/** The live subscriptions, and the queue of changes on their way to them, in commit order. */
export class ChangeFeed {
  readonly #sql: Sql;
  readonly #log: Log;
  readonly #subscriptions = new Map<string, Set<Subscription>>();
  #waiting: CommittedChange[] = [];
  #working: Promise<void> | undefined;
  #isBusy = false;

  constructor(sql: Sql, log: Log) {
    this.#sql = sql;
    this.#log = log;
  }

  add(subscription: Subscription): void {
    const key = keyOf(subscription.wanted.schema, subscription.wanted.table);
    const subscriptions = this.#subscriptions.get(key) ?? new Set();
    this.#subscriptions.set(key, subscriptions.add(subscription));
  }

  remove(subscription: Subscription): void {
    const key = keyOf(subscription.wanted.schema, subscription.wanted.table);
    const subscriptions = this.#subscriptions.get(key);
    subscriptions?.delete(subscription);
    if (subscriptions?.size === 0) this.#subscriptions.delete(key);
  }

  /** Takes a transaction's changes; those that nobody listens to are forgotten at once. */
  push({ xid, committedAt, changes }: Transaction): void {
    for (const change of changes) {
      if (this.#interested(change).length > 0) this.#waiting.push({ ...change, xid, committedAt });
    }
    if (this.#waiting.length > mostChangesWaiting) {
      this.#log("too many changes are waiting, they are skipped", { skipped: this.#waiting.length });
      this.#waiting = [];
    }
    if (!this.#isBusy && this.#waiting.length > 0) this.#working = this.#work();
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, mostChangesAtOnce);
      try {
        await deliverChanges(this.#sql, batch, (change) => this.#interested(change), this.#log);
      } catch (error) {
        this.#log("changes could not be delivered", { changes: batch.length, reason: reasonOf(error) });
      }
    }
    // In the same turn as the last look at the queue, so that no push falls between the two.
    this.#isBusy = false;
  }

  #interested(change: Change): Subscription[] {
    const keys = [
      keyOf(change.schema, change.table),
      keyOf(change.schema, "*"),
      keyOf("*", change.table),
      keyOf("*", "*"),
    ];
    return keys.flatMap((key) =>
      [...(this.#subscriptions.get(key) ?? [])].filter(
        ({ wanted }) => wanted.event === "*" || wanted.event === change.type,
      ),
    );
  }
}

function keyOf(schema: string, table: string): string {
  return JSON.stringify([schema, table]);
}
