import postgres from "postgres";
import { type DatabaseSession, openSession } from "../net/database-session.ts";
import { watchCommands } from "./command-watch.ts";
import { loginSettings } from "./login-settings.ts";
import type { Job } from "./tasks.ts";

/** How a run ended, in pg_cron's words. */
export interface RunOutcome {
  status: "succeeded" | "failed";
  message: string;
  /** Whether the command ended by itself; if not, pg_cron records no end. */
  ended: boolean;
}

export interface JobRun {
  done: Promise<RunOutcome>;
  /** Hangs up. As with the real one, a statement that is under way ends when the server notices. */
  hangUp(reason: string): void;
}

class CannotConnect extends Error {}

/**
 * Runs a job's command in a session of its own as the job's user, in the job's database, with that user's settings.
 *
 * @param databaseUrl as the superuser
 * @param serverSettings see login-settings.ts
 * @param onStarted told the process id of the session just before the command is sent.
 */
export function startRun(options: {
  job: Job;
  databaseUrl: string;
  serverSettings: Map<string, string>;
  onStarted: (pid: number) => Promise<void>;
  onNotice: (message: string) => void;
}): JobRun {
  let session: DatabaseSession | undefined;
  let hungUp: string | undefined;
  const stopIfHungUp = () => {
    if (hungUp !== undefined) throw new Error(hungUp);
  };

  const run = async (): Promise<RunOutcome> => {
    const { job, onStarted } = options;
    const watch = watchCommands();
    const url = Object.assign(new URL(options.databaseUrl), {
      pathname: `/${encodeURIComponent(job.database)}`,
    });
    session = await openSession(url.href, "pg_cron", {
      connect: { socket: watch.socket },
      onNotice: options.onNotice,
    });
    stopIfHungUp();
    const pid = await becomeUser(session, job.username, options.serverSettings);
    stopIfHungUp();
    await onStarted(pid);
    watch.reset();
    await session.sql.unsafe(job.command).simple();
    if (watch.sawCopy()) return { status: "failed", message: "COPY not supported", ended: true };
    return { status: "succeeded", message: watch.lastResult(), ended: true };
  };

  const done = run()
    .catch((error: unknown): RunOutcome => {
      if (hungUp !== undefined) return { status: "failed", message: hungUp, ended: false };
      if (error instanceof postgres.PostgresError) {
        return { status: "failed", message: errorText(error), ended: true };
      }
      const message = session && !(error instanceof CannotConnect) ? "connection lost" : "connection failed";
      return { status: "failed", message, ended: false };
    })
    .then(async (outcome) => {
      await session?.drop();
      return outcome;
    });

  return {
    done,
    hangUp: (reason) => {
      hungUp ??= reason;
      void session?.drop();
    },
  };
}

/** The real one signs in as the user; here the superuser's session becomes the user's. @returns its process id. */
async function becomeUser(
  { sql }: DatabaseSession,
  username: string,
  serverSettings: Map<string, string>,
): Promise<number> {
  const [role] = await sql`
    select pg_backend_pid() as pid from pg_roles
    where rolname = ${username} and rolcanlogin and has_database_privilege(oid, current_database(), 'CONNECT')`;
  if (!role) throw new CannotConnect(`${username} cannot sign in`);
  const settings = await loginSettings(sql, username, serverSettings);
  for (const [name, value] of settings) await sql`select set_config(${name}, ${value}, false)`;
  await sql`set session authorization ${sql(username)}`;
  return Number(role.pid);
}

/** An error as libpq prints it, without the line of the command that it points at. */
function errorText(error: postgres.PostgresError): string {
  const parts = [
    `${error.severity}:  ${error.message}`,
    error.detail && `DETAIL:  ${error.detail}`,
    error.hint && `HINT:  ${error.hint}`,
    error.where && `CONTEXT:  ${error.where}`,
  ];
  return parts
    .filter((part) => part)
    .map((part) => `${part}\n`)
    .join("");
}
