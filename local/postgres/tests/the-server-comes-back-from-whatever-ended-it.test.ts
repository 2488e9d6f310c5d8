import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { quietLog, reasonOf } from "../../stack/part.ts";
import { removeDataDir } from "../place.ts";
import { isRunning } from "../postmaster.ts";
import { type RunningPostgres, startPostgres } from "../server.ts";
import { withSession } from "../session.ts";
import type { PostgresSettings } from "../settings.ts";

let settings: PostgresSettings;
let running: RunningPostgres[];

beforeEach(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "call-recording-server-"));
  await chmod(dataDir, 0o755);
  running = [];
  settings = {
    dataDir,
    port: 0,
    superuserPassword: "it's a/secret:%",
    postgresPassword: "p@ss",
    authenticatorPassword: "x",
    durable: false,
  };
});
afterEach(async () => {
  await Promise.all(running.map((server) => server.stop()));
  await removeDataDir(settings.dataDir);
});

async function start(changes: Partial<PostgresSettings> = {}, log = quietLog) {
  const server = await startPostgres({ ...settings, ...changes }, log);
  running.push(server);
  return server;
}

const query = (url: string, statement: string) =>
  withSession(url, async (sql) => [...(await sql.unsafe(statement))]);

const postmaster = async () =>
  Number((await readFile(join(settings.dataDir, "cluster/postmaster.pid"), "utf8")).split("\n")[0]);

/** The part as its supervisor runs it; resolves when it said that it is ready. */
async function startPart(port: number): Promise<ChildProcess> {
  const part = fork(join(import.meta.dirname, "../main.ts"), {
    env: { ...process.env, PART_SETTINGS: JSON.stringify({ ...settings, port, durable: true }) },
    execPath: join(import.meta.dirname, "../../../node_modules/.bin/node"),
    execArgv: [],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [message] = await once(part, "message");
  expect(message).toEqual({ type: "ready" });
  return part;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}

describe("in this process", () => {
  test("a restart keeps the data, and takes new passwords of the two roles that others sign in as", async () => {
    const first = await start();
    await query(first.adminUrl, "create table kept as select 42 as answer");
    await first.stop();
    const second = await start({ postgresPassword: "new" });
    expect(await query(second.adminUrl, "select answer from kept")).toEqual([{ answer: 42 }]);
    expect(await query(second.postgresUrl, "select current_user as me")).toEqual([{ me: "postgres" }]);
    expect(await query(second.authenticatorUrl, "select current_user as me")).toEqual([
      { me: "authenticator" },
    ]);
    await second.stop();
    await expect(start({ superuserPassword: "another" })).rejects.toThrow(
      `the database in ${settings.dataDir} was made with another superuser password`,
    );
    await expect(postmaster()).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("it is set up for logical decoding, listens on loopback only and writes no statement to its log", async () => {
    const lines: string[] = [];
    const server = await start({}, (line) => void lines.push(line));
    expect(
      await query(
        server.adminUrl,
        `select current_setting('wal_level') as wal, current_setting('listen_addresses') as addresses,
          current_setting('unix_socket_directories') as sockets, current_setting('TimeZone') as zone,
          current_setting('server_encoding') as encoding, 'ä' < 'b' as by_locale, upper('ä') as upper`,
      ),
    ).toEqual([
      {
        wal: "logical",
        addresses: "127.0.0.1",
        sockets: "",
        zone: "UTC",
        encoding: "UTF8",
        by_locale: false,
        upper: "Ä",
      },
    ]);
    await expect(query(server.adminUrl, "select 1 / 0 as my_secret")).rejects.toThrow("division by zero");
    await server.stop();
    expect(lines).toContainEqual(expect.stringContaining("division by zero"));
    expect(lines.join("\n")).not.toContain("my_secret");
  });

  test("it ends although a session is in the middle of a statement", async () => {
    const lines: string[] = [];
    const server = await start({}, (line) => void lines.push(line));
    const sql = postgres(server.adminUrl, { max: 1 });
    const sleeping = expect(sql`select pg_sleep(60), 'my_secret'`).rejects.toThrow();
    await expect
      .poll(() =>
        query(
          server.adminUrl,
          "select from pg_stat_activity where query like '%my_secret%' and state = 'active' and pid <> pg_backend_pid()",
        ),
      )
      .toHaveLength(1);
    await server.stop();
    expect(await server.ended).toBe("Postgres ended with code 0");
    await sleeping;
    expect(lines.join("\n")).not.toContain("my_secret");
    await sql.end({ timeout: 1 });
  });

  test("a taken port is one sentence", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const reason = await start({ port }).catch(reasonOf);
    expect(reason).toBe(`port ${port} is taken by another program`);
    other.close();
  });

  test("a data directory in use is refused, and its server left alone", async () => {
    const first = await start();
    await expect(start()).rejects.toThrow(
      `the database in ${settings.dataDir} is already in use by process ${process.pid}`,
    );
    expect(await query(first.adminUrl, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  test("a pid file that now points to some other program is no obstacle, and that program is left alone", async () => {
    await (await start()).stop();
    await writeFile(
      join(settings.dataDir, "cluster/postmaster.pid"),
      `${process.pid}\n${settings.dataDir}/cluster\n`,
    );
    const server = await start();
    expect(await query(server.adminUrl, "select 1 as one")).toEqual([{ one: 1 }]);
  });
});

describe("as a part", () => {
  test("its process ends when Postgres dies, and the next one recovers what was committed", async () => {
    const port = await freePort();
    const part = await startPart(port);
    const url = `postgres://supabase_admin:${encodeURIComponent(settings.superuserPassword)}@127.0.0.1:${port}/postgres`;
    await query(url, "create table kept as select 42 as answer");
    process.kill(await postmaster(), "SIGKILL");
    expect(await once(part, "exit")).toEqual([1, null]);
    const server = await start();
    expect(await query(server.adminUrl, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  test("a server left over from a killed part is ended first by the next", async () => {
    const port = await freePort();
    const part = await startPart(port);
    const orphan = await postmaster();
    part.kill("SIGKILL");
    await once(part, "exit");
    expect(await isRunning(orphan)).toBe(true);
    const server = await start({ port });
    expect(await isRunning(orphan)).toBe(false);
    expect(await query(server.adminUrl, "select 1 as one")).toEqual([{ one: 1 }]);
  });

  test("told to end, it leaves no process", async () => {
    const part = await startPart(0);
    const pid = await postmaster();
    part.kill("SIGTERM");
    expect(await once(part, "exit")).toEqual([0, null]);
    expect(await isRunning(pid)).toBe(false);
  });
});
