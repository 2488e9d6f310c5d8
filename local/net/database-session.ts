import type { Socket } from "node:net";
import postgres from "postgres";

/** One connection to the database that is never silently replaced: once it is lost, it stays lost. */
export interface DatabaseSession {
  sql: postgres.Sql;
  /** Resolves when the connection is gone, whoever ended it. */
  lost: Promise<void>;
  isLost(): boolean;
  /**
   * Runs statements as one transaction: committed when `work` resolves, rolled back when it rejects. Not the driver's
   * own `begin`: when the server ends the connection in the middle, that writes its rollback to a socket that is gone,
   * which no caller can catch.
   *
   * @throws what `work` throws, or the driver's error.
   */
  transaction<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T>;
  /** Drops the connection at once; an open transaction rolls back. */
  drop(): Promise<void>;
}

/** The driver knows these two options, but does not list them in its types. */
type Options = postgres.Options<Record<string, never>> & {
  onnotify?: (channel: string, payload: string) => void;
  /** Gives a connected socket. */
  socket?: (options: { host: string[]; port: number[] }) => Promise<Socket>;
};

/**
 * Opens one session and proves that it works. The driver's own reconnecting is not used: it would come back without
 * a word, outside the transaction and deaf, since LISTEN belongs to a session.
 *
 * @throws the driver's error when the database cannot be reached or refuses us.
 */
export async function openSession(
  url: string,
  applicationName: string,
  options: {
    listen?: { channel: string; heard: (payload: string) => void };
    connect?: Options;
    onNotice?: (message: string) => void;
  } = {},
): Promise<DatabaseSession> {
  let gone = false;
  const { promise: lost, resolve: sayLost } = Promise.withResolvers<void>();
  const driverOptions: Options = {
    max: 1,
    max_lifetime: null,
    fetch_types: false,
    connect_timeout: 10,
    connection: { application_name: applicationName },
    onnotice: (notice) => options.onNotice?.(String(notice.message)),
    onnotify: (_channel, payload) => options.listen?.heard(payload),
    onclose: () => {
      gone = true;
      // Or else the driver would send the next statement on a new connection, in the middle of what was a transaction.
      void drop();
      sayLost();
    },
    ...options.connect,
  };
  const sql = postgres(url, driverOptions);
  const drop = () => sql.end({ timeout: 0 });
  try {
    if (options.listen) await sql`listen ${sql(options.listen.channel)}`;
    else await sql`select 1`;
  } catch (error) {
    await drop();
    throw error;
  }
  const transaction = async <T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> => {
    await sql`begin`;
    try {
      const result = await work(sql);
      await sql`commit`;
      return result;
    } catch (error) {
      // A connection that is gone has rolled back by itself.
      if (!gone) await sql`rollback`.catch(() => drop());
      throw error;
    }
  };
  return { sql, lost, isLost: () => gone, transaction, drop };
}
