/** One Postgres of its own for the whole benchmark, with everything the migrations make. */
import { randomUUID } from "node:crypto";
import { chmod, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type postgres from "postgres";
import { removeDataDir } from "../../local/postgres/place.ts";
import { startPostgres } from "../../local/postgres/server.ts";
import { quietLog } from "../../local/stack/part.ts";
import { connect, withMigrations } from "../../tests/database/recorder-database.ts";

export interface BenchServer {
  /** As the superuser, who may switch triggers off while rows are built. */
  adminUrl: string;
  /** As `postgres`, the owner of the project's objects. */
  postgresUrl: string;
  connect(url: string): postgres.Sql;
  stop(): Promise<void>;
}

/** Starts it on a free port in a temporary folder, crash-safe as a hosted one (fsync and synchronous_commit on). */
export async function startBenchServer(): Promise<BenchServer> {
  const dataDir = await mkdtemp(join(tmpdir(), "call-recording-bench-"));
  // As root the server runs as somebody else, who must get in.
  await chmod(dataDir, 0o755);
  const running = await startPostgres(
    {
      dataDir,
      port: 0,
      superuserPassword: randomUUID(),
      postgresPassword: randomUUID(),
      authenticatorPassword: randomUUID(),
      durable: true,
    },
    quietLog,
  );
  const { adminUrl, postgresUrl } = running;
  const connections = new Set<postgres.Sql>();
  const stop = async () => {
    await Promise.all([...connections].map((sql) => sql.end({ timeout: 1 })));
    await running.stop();
    await removeDataDir(dataDir);
  };
  try {
    // Nobody listens where the wake-ups go and no worker sends: they are counted where they are queued.
    await withMigrations(running);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    adminUrl,
    postgresUrl,
    connect(url) {
      const sql = connect(url);
      connections.add(sql);
      return sql;
    },
    stop,
  };
}
