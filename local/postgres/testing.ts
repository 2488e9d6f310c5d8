/** A throw-away Postgres for the tests of this repository: one server per test file, one cloned database per test. */
import { randomUUID } from "node:crypto";
import { chmod, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import postgres from "postgres";
import { quietLog } from "../stack/part.ts";
import { bootstrapDatabase } from "./bootstrap.ts";
import { removeDataDir } from "./place.ts";
import { startPostgres } from "./server.ts";

/** The same database as three roles: superuser, owner of the project's objects, REST server. */
export interface DatabaseUrls {
  adminUrl: string;
  postgresUrl: string;
  authenticatorUrl: string;
}

/** What a database holds beyond a hosted project's bare state; it must close its own connections. */
export type Prepare = (urls: DatabaseUrls) => Promise<void>;

export interface TestDatabase extends DatabaseUrls {
  name: string;
  /** Ends all its sessions and removes it. Not needed before `stop` of the server. */
  drop(): Promise<void>;
}

export interface TestServer extends DatabaseUrls {
  /**
   * A database of its own for one test, in some 50 ms: a clone of a template that is made once for each different
   * `prepare` function (compared by identity, so keep it in a constant), and that roles and schemas of a hosted
   * project are already in.
   */
  createDatabase(options?: { prepare?: Prepare }): Promise<TestDatabase>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

const DROP_ATTEMPTS = 50;
const DROP_PAUSE_MS = 50;

/**
 * Starts a server in a temporary folder on a free port, without crash safety. Nothing is prepared in its own database
 * `postgres` (`adminUrl` and its like): take a database from `createDatabase`.
 */
export async function startTestServer(): Promise<TestServer> {
  const dataDir = await mkdtemp(join(tmpdir(), "call-recording-test-"));
  // As root the server runs as somebody else, who must get in.
  await chmod(dataDir, 0o755);
  const running = await startPostgres(
    {
      dataDir,
      port: 0,
      superuserPassword: randomUUID(),
      postgresPassword: randomUUID(),
      authenticatorPassword: randomUUID(),
      durable: false,
    },
    quietLog,
  ).catch(async (error: unknown) => {
    await removeDataDir(dataDir);
    throw error;
  });
  const { adminUrl, postgresUrl, authenticatorUrl } = running;
  const admin = postgres(adminUrl, { max: 1, onnotice: () => undefined });

  const urlsOf = (name: string): DatabaseUrls => {
    const at = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
    return { adminUrl: at(adminUrl), postgresUrl: at(postgresUrl), authenticatorUrl: at(authenticatorUrl) };
  };

  const nothing: Prepare = async () => undefined;
  const templates = new Map<Prepare, Promise<string>>();
  const makeTemplate = async (prepare: Prepare) => {
    const name = `template_${templates.size}`;
    await admin`create database ${admin(name)}`;
    await bootstrapDatabase(urlsOf(name).adminUrl);
    await prepare(urlsOf(name));
    return name;
  };
  const templateFor = (prepare: Prepare) => {
    const template = templates.get(prepare) ?? makeTemplate(prepare);
    templates.set(prepare, template);
    return template;
  };

  let count = 0;
  return {
    adminUrl,
    postgresUrl,
    authenticatorUrl,
    async createDatabase({ prepare = nothing } = {}) {
      const template = await templateFor(prepare);
      count += 1;
      const name = `test_${count}`;
      // A clone does not inherit its template's owner.
      await admin`create database ${admin(name)} template ${admin(template)} owner postgres`;
      return { name, ...urlsOf(name), drop: () => dropDatabase(admin, name) };
    },
    async stop() {
      await admin.end();
      await running.stop();
      await removeDataDir(dataDir);
    },
  };
}

/** FORCE ends ordinary sessions but stops short of an active replication slot, whose sender has to be ended first. */
async function dropDatabase(admin: postgres.Sql, name: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await admin`
      select pg_terminate_backend(active_pid) from pg_replication_slots where database = ${name} and active`;
    try {
      await admin`drop database if exists ${admin(name)} with (force)`;
      return;
    } catch (error) {
      const inUse = error instanceof postgres.PostgresError && error.code === "55006";
      if (!inUse || attempt === DROP_ATTEMPTS) throw error;
      await pause(DROP_PAUSE_MS);
    }
  }
}
