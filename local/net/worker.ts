import { setTimeout as sleep } from "node:timers/promises";
import { type Log, type RunningPart, reasonOf } from "../stack/part.ts";
import { type DatabaseSession, openSession } from "./database-session.ts";
import { type Connections, closeConnections, openConnections } from "./http-request.ts";
import { openAgain } from "./open-again.ts";
import { isNotInstalled, makePass, VERSION } from "./pass.ts";
import type { NetSettings } from "./settings.ts";

/** How long a pass may go on after we were told to end; then it is given up, and its requests are sent next time. */
const LAST_PASS_MS = 3_000;

/**
 * Stands in for the background worker of pg_net 0.20.4: sleeps until a transaction that called net.http_* commits,
 * then makes passes (see pass.ts), resting 1 s after each before it looks at the queue again.
 *
 * What it does not do: appear in pg_stat_activity with a backend_type of its own (its application name is the real
 * one's); read the settings pg_net.*; validate bytes that are no UTF-8 (they become U+FFFD); HTTP/2, proxies. It is stricter with
 * line breaks in a header: the request fails, where the real one sends what follows as a header. net.worker_restart()
 * takes effect at commit.
 *
 * @throws Error when the database cannot be reached at the start. Later losses are survived and said in the log.
 */
export async function startNet(settings: NetSettings, log: Log): Promise<RunningPart> {
  const worker = new Worker(settings, log);
  await worker.open();
  const done = worker.run();
  return {
    stop: async () => {
      await worker.end();
      await done;
    },
  };
}

interface Sessions {
  listener: DatabaseSession;
  work: DatabaseSession;
}

class Worker {
  private readonly settings: NetSettings;
  private readonly log: Log;
  private readonly connections: Connections = openConnections();
  /** Aborts what is under way. */
  private readonly stopped = new AbortController();
  /** Aborts rests and sleeps only. */
  private readonly ending = new AbortController();
  private sessions: Sessions | undefined;
  private wanted = Promise.withResolvers<void>();
  private restartWanted = false;
  private passing: Promise<unknown> = Promise.resolve();

  constructor(settings: NetSettings, log: Log) {
    this.settings = settings;
    this.log = log;
  }

  /** Two sessions: one that sits in the transaction of a pass cannot hear a NOTIFY meanwhile. */
  async open(): Promise<Sessions> {
    const { databaseUrl } = this.settings;
    const listener = await openSession(databaseUrl, "pg_net wake-ups", {
      listen: { channel: "pg_net", heard: (payload) => this.heard(payload) },
    });
    try {
      const sessions = { listener, work: await openSession(databaseUrl, `pg_net ${VERSION}`) };
      this.sessions = sessions;
      return sessions;
    } catch (error) {
      await listener.drop();
      throw error;
    }
  }

  async run(): Promise<void> {
    while (!this.ending.signal.aborted) {
      const sessions = this.sessions ?? (await openAgain(() => this.open(), this.ending.signal, this.log));
      if (!sessions) break;
      const lost = Promise.race([sessions.listener.lost, sessions.work.lost]);
      void lost.then(() => this.wanted.resolve());
      await this.serve(sessions.work, () => sessions.listener.isLost() || sessions.work.isLost());
      await this.close();
    }
  }

  async end(): Promise<void> {
    this.ending.abort();
    this.wanted.resolve();
    const giveUp = setTimeout(() => void this.abandon(), LAST_PASS_MS);
    await this.passing;
    clearTimeout(giveUp);
    await this.abandon();
  }

  private async abandon(): Promise<void> {
    this.stopped.abort();
    await this.close();
    closeConnections(this.connections);
  }

  private async close(): Promise<void> {
    const { sessions } = this;
    this.sessions = undefined;
    await Promise.all([sessions?.listener.drop(), sessions?.work.drop()]);
  }

  private heard(payload: string): void {
    if (payload === "restart") this.restartWanted = true;
    this.wanted.resolve();
  }

  /** Passes until the sessions are lost, a restart is wanted, or we end. */
  private async serve(work: DatabaseSession, isLost: () => boolean): Promise<void> {
    this.restartWanted = false;
    while (!this.ending.signal.aborted && !this.restartWanted) {
      if (isLost()) {
        this.log("lost the connection to the database");
        return;
      }
      // Before looking, so that what is committed while we look wakes us again.
      this.wanted = Promise.withResolvers();
      const worked = await this.lookOnce(work);
      if (isLost()) continue;
      if (worked) await this.rest();
      else await this.wanted.promise;
    }
    if (this.restartWanted) this.log("restarting, as net.worker_restart() asked");
  }

  /** @returns whether there may be more to do after a rest. */
  private async lookOnce(work: DatabaseSession): Promise<boolean> {
    try {
      const pass = makePass(work, this.settings, this.connections, this.stopped.signal);
      this.passing = pass.catch(() => undefined);
      const { sent, failed, expired } = await pass;
      if (sent > 0) this.log(`sent ${sent} requests`, failed > 0 ? { failed } : {});
      return sent > 0 || expired > 0;
    } catch (error) {
      if (isNotInstalled(error)) return true;
      if (this.stopped.signal.aborted) {
        this.log("gave up the pass under way, its requests stay in the queue");
        return false;
      }
      // The real worker dies of it and is started again a second later: the same pass, again and again.
      this.log(`a pass failed, its requests stay in the queue: ${reasonOf(error)}`);
      return true;
    }
  }

  private async rest(): Promise<void> {
    await sleep(this.settings.restMs, undefined, { signal: this.ending.signal }).catch(() => undefined);
  }
}
