import { createConnection, type Socket } from "node:net";

/** What the server says about the commands of one query, read from the wire. */
export interface CommandWatch {
  /** For the driver: a connected socket whose incoming messages are watched. */
  socket: (options: { host: string[]; port: number[] }) => Promise<Socket>;
  /** Forgets what was seen. */
  reset(): void;
  /** Of the last command: `3 rows` where it gave rows, else the server's tag, `INSERT 0 1`. */
  lastResult(): string;
  /** A COPY from or to the client was asked for. */
  sawCopy(): boolean;
}

const HEADER_BYTES = 5;

/**
 * pg_cron records the outcome of the last command of a job. The driver merges the outcomes of several commands in one
 * string into one when they give no rows, so the messages themselves are counted here.
 * Format: PostgreSQL documentation, "Message Formats" (one byte of type, four bytes of length that count themselves).
 */
export function watchCommands(): CommandWatch {
  let pending: Buffer = Buffer.alloc(0);
  let rows: number | undefined;
  let last = "";
  let copy = false;

  const seen = (type: string, payload: Buffer) => {
    if (type === "T") rows = 0;
    else if (type === "D") rows = (rows ?? 0) + 1;
    else if (type === "I") last = "0 rows";
    else if (type === "G" || type === "H" || type === "W") copy = true;
    else if (type === "C") {
      last =
        rows === undefined
          ? payload.toString("utf8", 0, payload.length - 1)
          : rows === 1
            ? "1 row"
            : `${rows} rows`;
      rows = undefined;
    }
  };
  const feed = (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    let start = 0;
    while (pending.length - start >= HEADER_BYTES) {
      const end = start + 1 + pending.readInt32BE(start + 1);
      if (end > pending.length) break;
      seen(String.fromCharCode(pending[start] ?? 0), pending.subarray(start + HEADER_BYTES, end));
      start = end;
    }
    pending = pending.subarray(start);
  };

  return {
    socket: ({ host, port }) =>
      new Promise((resolve, reject) => {
        const socket = createConnection({ host: host[0] ?? "127.0.0.1", port: port[0] ?? 5432 });
        socket.once("error", reject);
        socket.once("connect", () => {
          socket.off("error", reject);
          socket.on("data", feed);
          resolve(socket);
        });
      }),
    reset: () => {
      rows = undefined;
      last = "";
      copy = false;
    },
    lastResult: () => last,
    sawCopy: () => copy,
  };
}
