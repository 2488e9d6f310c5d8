import { randomBytes } from "node:crypto";
import { LogicalReplicationService, type Pgoutput, PgoutputPlugin } from "pg-logical-replication";
import { type Log, reasonOf } from "../stack/part.ts";

/** Column name to Postgres' text form of its value. Null is null; a column that is absent was not in the log. */
export type Row = Record<string, string | null>;

/** One row change as the log tells it. */
export interface Change {
  type: "INSERT" | "UPDATE" | "DELETE";
  oid: number;
  schema: string;
  table: string;
  /** The new row; for DELETE empty. An unchanged large value that was stored out of line is absent. */
  row: Row;
  /** The row's replica identity before the change: key columns, or all columns when the identity is FULL. */
  identity: Row;
}

/** A committed transaction with the changes of the published tables, in order. */
export interface Transaction {
  /** Its number in the log. */
  xid: number;
  committedAt: Date;
  changes: Change[];
}

export interface Replication {
  /** Resolves once the stream is live: everything committed from then on is seen. At once when it is live already. */
  live(): Promise<void>;
  stop(): Promise<void>;
}

const firstRetryMs = 100;
const longestRetryMs = 2_000;

/**
 * Streams the given publications from a temporary logical slot, for ever: a lost stream is opened again with a growing
 * pause. As on hosted the slot dies with its connection, so that what is committed in between is lost; that is logged,
 * and `onLive` tells when the stream is there again.
 */
export function startReplication(
  databaseUrl: string,
  publications: string[],
  onTransaction: (transaction: Transaction) => void,
  onLive: () => void,
  log: Log,
): Replication {
  let stopped = false;
  let live = false;
  let leave: () => void = () => undefined;
  let wakeFromPause: () => void = () => undefined;
  const waiting: (() => void)[] = [];

  const stream = async () => {
    const opened = new LogicalReplicationService(
      // Values come as text, so their form must not depend on the database's own settings.
      {
        connectionString: databaseUrl,
        application_name: "realtime_replication_connection",
        options:
          "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c bytea_output=hex -c extra_float_digits=1",
      },
      { acknowledge: { auto: false, timeoutSeconds: 0 } },
    );
    const collect = transactionCollector(onTransaction);
    // The library acknowledges one byte past the position it is given. A position beyond what the server sent would
    // keep a Postgres that is shutting down waiting for this stream for ever.
    const acknowledge = (lsn: string) =>
      opened.acknowledge(before(lsn)).catch((error: unknown) => {
        log("could not acknowledge the log's position", { reason: reasonOf(error) });
      });
    opened.on("error", () => undefined); // The same error ends subscribe(), where it is logged.
    opened.on("start", () => {
      live = true;
      log("replication stream is live");
      for (const resolve of waiting.splice(0)) resolve();
      onLive();
    });
    opened.on("heartbeat", (lsn, _time, shouldRespond) => {
      if (shouldRespond) void acknowledge(lsn);
    });
    opened.on("data", (lsn, message: Pgoutput.Message) => {
      collect(message);
      if (message.tag === "commit") void acknowledge(message.commitEndLsn ?? lsn);
    });
    const slot = `supabase_realtime_replication_slot_${randomBytes(6).toString("hex")}`;
    try {
      // A stop must not wait for a connection that is only being made.
      const left = new Promise<void>((resolve) => {
        leave = resolve;
      });
      await Promise.race([opened.subscribe(new TemporarySlotPlugin(publications), slot), left]);
    } finally {
      live = false;
      await opened.destroy();
    }
  };

  const keepStreaming = async () => {
    let pauseMs = firstRetryMs;
    while (!stopped) {
      let reason = "the server ended the stream";
      try {
        await stream();
      } catch (error) {
        reason = reasonOf(error);
      }
      if (stopped) return;
      log("replication stream is lost, changes until it is back are not delivered", {
        reason,
        retryInMs: pauseMs,
      });
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs);
        wakeFromPause = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      pauseMs = Math.min(pauseMs * 2, longestRetryMs);
      waiting.push(() => {
        pauseMs = firstRetryMs;
      });
    }
  };
  const running = keepStreaming();

  return {
    live: () => (live ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    async stop() {
      stopped = true;
      wakeFromPause();
      leave();
      await running;
    },
  };
}

/** Plugin that reads values as text and opens a slot that ends with its connection. */
class TemporarySlotPlugin extends PgoutputPlugin {
  constructor(publications: string[]) {
    super({ protoVersion: 1, publicationNames: publications });
  }

  override parse(buffer: Buffer): Pgoutput.Message {
    const message = super.parse(buffer);
    // The parser keeps this very object for the rows that follow. Its own value parsers lose precision.
    if (message.tag === "relation")
      for (const column of message.columns) column.parser = (text: string) => text;
    return message;
  }

  override async start(...[client, slot, lsn]: Parameters<PgoutputPlugin["start"]>): Promise<void> {
    await client.query(`CREATE_REPLICATION_SLOT "${slot}" TEMPORARY LOGICAL pgoutput NOEXPORT_SNAPSHOT`);
    await super.start(client, slot, lsn);
  }
}

function transactionCollector(
  onTransaction: (transaction: Transaction) => void,
): (message: Pgoutput.Message) => void {
  let current: Transaction | undefined;
  return (message) => {
    if (message.tag === "begin") {
      const committedAt = new Date(Number(message.commitTime.valueOf() / 1000n));
      current = { xid: message.xid, committedAt, changes: [] };
    } else if (message.tag === "insert" || message.tag === "update" || message.tag === "delete") {
      current?.changes.push(changeOf(message));
    } else if (message.tag === "commit" && current !== undefined) {
      if (current.changes.length > 0) onTransaction(current);
      current = undefined;
    }
  };
}

function changeOf(message: Pgoutput.MessageInsert | Pgoutput.MessageUpdate | Pgoutput.MessageDelete): Change {
  const { relationOid: oid, schema, name: table, keyColumns } = message.relation;
  const source = { oid, schema, table };
  if (message.tag === "insert") return { ...source, type: "INSERT", row: present(message.new), identity: {} };
  const old = message.old ?? message.key;
  if (message.tag === "delete") return { ...source, type: "DELETE", row: {}, identity: present(old ?? {}) };
  const row = present(message.new);
  // The log holds the old key only when it changed; unchanged, the new one is the same.
  const identity = old ?? Object.fromEntries(keyColumns.map((column) => [column, row[column]]));
  return { ...source, type: "UPDATE", row, identity: present(identity) };
}

function present(row: Record<string, unknown>): Row {
  const known: Row = {};
  for (const [column, value] of Object.entries(row)) {
    if (value === null || typeof value === "string") known[column] = value;
  }
  return known;
}

function before(lsn: string): string {
  const [high = "0", low = "0"] = lsn.split("/");
  const position = (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`) - 1n;
  return `${(position >> 32n).toString(16)}/${(position & 0xffffffffn).toString(16)}`;
}
