/**
 * A real Postgres 17 as a hosted project has it, seen from its roles and schemas. What it does not do:
 * - no supautils: `postgres` may do here what vanilla Postgres lets it do, e.g. create a role with REPLICATION;
 * - no safeupdate (an UPDATE without WHERE over the API passes), no pgaudit, pg_stat_statements, pg_graphql;
 * - no connection pooler, no TLS, no replicas, no backups.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import type { Log, RunningPart } from "../stack/part.ts";
import { type Account, serverAccount } from "./account.ts";
import { readyServerFiles } from "./binaries.ts";
import { ensureCluster, SERVER_ENVIRONMENT, SUPERUSER } from "./cluster.ts";
import { placeOfCluster } from "./place.ts";
import { endLeftoverServer, noteOwner } from "./postmaster.ts";
import { withSession } from "./session.ts";
import type { PostgresSettings } from "./settings.ts";

/** A running server. All addresses are for the database `postgres`. */
export interface RunningPostgres extends RunningPart {
  port: number;
  /** As the superuser `supabase_admin`. */
  adminUrl: string;
  /** As `postgres`, the role that migrations run as. */
  postgresUrl: string;
  /** As `authenticator`, the role of the REST server. */
  authenticatorUrl: string;
  /** Settles when the server has ended, whoever ended it; the sentence says how. */
  ended: Promise<string>;
}

/**
 * How long open sessions may take to be cut off before the server ends without tidying up (which the next start
 * repairs). Shorter than the 5 s after which a part's process is ended by force.
 */
const FAST_SHUTDOWN_MS = 4_000;

/** A crashed server's last processes may hold its shared memory for a moment longer than itself. */
const START_ATTEMPTS = 20;
const START_PAUSE_MS = 250;

/** A server that is up, or the words with which it refused to start. */
type Start = { child: ChildProcess; ended: Promise<string> } | { refusal: string };

/**
 * Starts Postgres on the data directory, which it makes if it is missing, and waits until it accepts connections and
 * `postgres` and `authenticator` can sign in. A server that an earlier run left behind is ended first.
 *
 * @throws Error in one sentence: no binaries for this platform, port taken, data directory in use or of somebody
 * else, wrong superuser password.
 */
export async function startPostgres(settings: PostgresSettings, log: Log): Promise<RunningPostgres> {
  const account = serverAccount();
  const native = await readyServerFiles(account, settings.runtimeDir, log);
  const cluster = await placeOfCluster(settings.dataDir, account, settings.runtimeDir, log);
  await endLeftoverServer(settings.dataDir, cluster, log);
  const { superuserPassword, durable } = settings;
  await ensureCluster({ native, cluster, account, superuserPassword, durable });
  await noteOwner(settings.dataDir);

  const { child, ended, port } = await startServer({ native, cluster, account, settings, log });
  const stop = () => stopServer(child, ended, log);
  const url = (role: string, password: string) =>
    `postgres://${role}:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`;
  const adminUrl = url(SUPERUSER, superuserPassword);
  try {
    await ensureLoginRoles(adminUrl, settings);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    adminUrl,
    postgresUrl: url("postgres", settings.postgresPassword),
    authenticatorUrl: url("authenticator", settings.authenticatorPassword),
    ended,
    stop,
  };
}

async function startServer(options: {
  native: string;
  cluster: string;
  account: Account | undefined;
  settings: PostgresSettings;
  log: Log;
}) {
  const { settings } = options;
  let refusal = "";
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    const port = await portToUse(settings.port);
    const started = await tryToStart({ ...options, port });
    if ("child" in started) return { ...started, port };
    refusal = started.refusal;
    const portWasTaken = refusal.includes("could not create any TCP/IP sockets") && settings.port === 0;
    if (!portWasTaken && !refusal.includes("shared memory block")) break;
    await pause(START_PAUSE_MS);
  }
  throw new Error(`Postgres did not start: ${refusal}`);
}

/** Checks a wanted port before Postgres does, for a clear answer; finds a free one for 0. */
function portToUse(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(wanted, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address ? address.port : wanted;
      probe.close(() => resolve(port));
    });
  });
}

function tryToStart(options: {
  native: string;
  cluster: string;
  account: Account | undefined;
  settings: PostgresSettings;
  port: number;
  log: Log;
}): Promise<Start> {
  const { native, cluster, account, settings, port, log } = options;
  const child = spawn(
    join(native, "bin/postgres"),
    ["-D", cluster, ...serverOptions(port, settings.durable)],
    {
      ...account,
      cwd: "/",
      env: SERVER_ENVIRONMENT,
      stdio: ["ignore", "ignore", "pipe"],
      // Ctrl-C reaches a whole process group: the server would end before the parts that use it.
      detached: true,
    },
  );
  // However this process ends, short of kill -9, the server must not outlive it.
  const killServer = () => child.kill("SIGQUIT");
  process.once("exit", killServer);
  const lastWords: string[] = [];
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => lastWords.push(error.message));
    child.once("close", (code, signal) => {
      process.off("exit", killServer);
      resolve(signal ? `Postgres was ended by ${signal}` : `Postgres ended with code ${code}`);
    });
  });
  return new Promise((resolve) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      log(line.replace(/LOG:\s*/, "").trimEnd());
      if (line.includes("FATAL")) lastWords.push(line.replace(/^.*FATAL:\s*/, ""));
      if (line.includes("database system is ready to accept connections")) resolve({ child, ended });
    });
    void ended.then((how) => resolve({ refusal: lastWords.join("; ") || how }));
  });
}

function serverOptions(port: number, durable: boolean): string[] {
  const options: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: "",
    max_connections: "100",
    shared_buffers: "128MB",
    timezone: "UTC",
    // As hosted: logical decoding feeds Realtime; an abandoned slot may not fill the disk.
    wal_level: "logical",
    max_wal_senders: "10",
    max_replication_slots: "10",
    max_slot_wal_keep_size: "1GB",
    jit: "off",
    // As hosted: what no role limits ends after two minutes.
    statement_timeout: "2min",
    log_timezone: "UTC",
    log_line_prefix: "%q%u@%d ",
    log_checkpoints: "off",
    // A failing statement may carry a secret; the error's own text is enough.
    log_min_error_statement: "panic",
    ...(durable ? {} : { fsync: "off", full_page_writes: "off" }),
  };
  return Object.entries(options).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

async function stopServer(child: ChildProcess, ended: Promise<string>, log: Log): Promise<void> {
  // Postgres' own words: SIGINT is a fast shutdown, SIGQUIT an immediate one.
  child.kill("SIGINT");
  const impatience = setTimeout(() => {
    log("Postgres is taking too long to end: it is ended at once and will recover at its next start");
    child.kill("SIGQUIT");
  }, FAST_SHUTDOWN_MS);
  await ended;
  clearTimeout(impatience);
}

/** Makes sure that the two roles that others sign in as exist and have the passwords of the settings. */
async function ensureLoginRoles(adminUrl: string, settings: PostgresSettings): Promise<void> {
  const logins = [
    ["postgres", settings.postgresPassword],
    ["authenticator", settings.authenticatorPassword],
  ] as const;
  try {
    await withSession(adminUrl, async (sql) => {
      for (const [role, password] of logins) {
        await sql`
          select set_config('startup.role', ${role}, false), set_config('startup.password', ${password}, false)`;
        await sql.unsafe(`do $$ begin
          if not exists (select from pg_roles where rolname = current_setting('startup.role')) then
            execute format('create role %I', current_setting('startup.role'));
          end if;
          execute format('alter role %I login password %L',
            current_setting('startup.role'), current_setting('startup.password'));
        end $$`);
      }
    });
  } catch (error) {
    if (!(error instanceof postgres.PostgresError && error.code === "28P01")) throw error;
    throw new Error(
      `the database in ${settings.dataDir} was made with another superuser password: delete it, or restore the settings it was made with`,
      { cause: error },
    );
  }
}
