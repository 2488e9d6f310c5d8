/** What only root can try is tried only as root; the rest runs everywhere. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { accountNamed, canEnter, serverAccount } from "../account.ts";
import { findNativeFolder, readyServerFiles } from "../binaries.ts";
import { removeDataDir } from "../place.ts";
import { type RunningPostgres, startPostgres } from "../server.ts";
import { withSession } from "../session.ts";

const isRoot = process.getuid?.() === 0;
const ordinary = { uid: 65_534, gid: 65_534 };

/** 0700 and ours, as `mktemp -d` makes it. */
let privateFolder: string;
let runtimeDir: string;
let lines: string[];
let server: RunningPostgres | undefined;

beforeEach(async () => {
  privateFolder = await mkdtemp(join(tmpdir(), "call-recording-private-"));
  runtimeDir = await mkdtemp(join(tmpdir(), "call-recording-runtime-"));
  await chmod(runtimeDir, 0o755);
  lines = [];
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  await rm(privateFolder, { recursive: true });
  await rm(runtimeDir, { recursive: true });
});

const log = (line: string) => void lines.push(line);

async function start() {
  server = await startPostgres(
    {
      dataDir: join(privateFolder, "data"),
      port: 0,
      superuserPassword: "a",
      postgresPassword: "b",
      authenticatorPassword: "c",
      runtimeDir,
      durable: false,
    },
    log,
  );
  return server;
}

const query = (url: string, statement: string) =>
  withSession(url, async (sql) => [...(await sql.unsafe(statement))]);

test("the account is the system's postgres user, else nobody", () => {
  const passwd = "root:x:0:0::/root:/bin/sh\npostgres:x:101:104:admin:/var/lib/postgresql:/bin/bash\n";
  expect(accountNamed("postgres", passwd)).toEqual({ uid: 101, gid: 104 });
  expect(accountNamed("postgres", "root:x:0:0::/root:/bin/sh\n")).toBeUndefined();
  expect(serverAccount() === undefined).toBe(!isRoot);
});

test.runIf(isRoot)(
  "data below a private folder is kept outside, found again, and gone with its folder",
  async () => {
    const first = await start();
    await query(first.adminUrl, "create table kept as select 42 as answer");
    const [row] = await query(first.adminUrl, "select current_setting('data_directory') as path");
    const directory = z.object({ path: z.string() }).parse(row);
    expect(directory.path.startsWith(runtimeDir)).toBe(true);
    expect(lines).toContain(
      `the account that Postgres runs as cannot reach ${join(privateFolder, "data")}: the database is kept in ${directory.path}`,
    );
    expect((await stat(directory.path)).uid).toBe(serverAccount()?.uid);
    await first.stop();

    const second = await start();
    expect(await query(second.adminUrl, "select answer from kept")).toEqual([{ answer: 42 }]);
    await second.stop();

    // Whoever deletes the project's folder by hand wants a new database.
    await rm(join(privateFolder, "data"), { recursive: true });
    const third = await start();
    await expect(query(third.adminUrl, "select answer from kept")).rejects.toThrow("does not exist");
    await third.stop();
    await removeDataDir(join(privateFolder, "data"));
    expect(existsSync(directory.path)).toBe(false);
  },
);

test.runIf(isRoot)("programs below a private folder are copied once, with the extensions", async () => {
  const native = await findNativeFolder();
  const hidden = join(privateFolder, "native");
  await cp(native.path, hidden, { recursive: true, verbatimSymlinks: true });
  const account = serverAccount();
  const copy = await readyServerFiles(account, runtimeDir, log, { ...native, path: hidden });
  expect(copy.startsWith(runtimeDir)).toBe(true);
  expect(canEnter(account, copy)).toBe(true);
  expect(existsSync(join(copy, "share/postgresql/extension/pgtap.control"))).toBe(true);
  const made = (await stat(copy)).ctimeMs;
  expect(await readyServerFiles(account, runtimeDir, log, { ...native, path: hidden })).toBe(copy);
  expect((await stat(copy)).ctimeMs).toBe(made);
  if (account) {
    await chown(copy, ordinary.uid, ordinary.gid);
    const trapped = readyServerFiles(account, runtimeDir, log, { ...native, path: hidden });
    await expect(trapped).rejects.toThrow(`${copy} belongs to somebody else`);
  }
  expect(lines.filter((line) => line.startsWith("copied the Postgres programs to"))).toHaveLength(1);
});

test.runIf(isRoot)("a folder that somebody else has put in the way is refused, not used", async () => {
  await start();
  const pointer = join(privateFolder, "data/cluster-lives-in");
  const outside = join((await readFile(pointer, "utf8")).trim(), "..");
  await server?.stop();
  await rm(pointer);
  await rm(outside, { recursive: true });
  await mkdir(outside);
  await chown(outside, ordinary.uid, ordinary.gid);
  await expect(start()).rejects.toThrow(`${outside} belongs to somebody else`);
  await rm(outside, { recursive: true });
  await symlink(privateFolder, outside);
  await expect(start()).rejects.toThrow(`${outside} belongs to somebody else`);
  server = undefined;
});

test.runIf(isRoot)(
  "data made by an ordinary user can be used by root, who is told apart from a stranger",
  async () => {
    const dataDir = join(runtimeDir, "data");
    await mkdir(dataDir);
    await chown(dataDir, ordinary.uid, ordinary.gid);
    const settings = {
      dataDir,
      port: 0,
      superuserPassword: "a",
      postgresPassword: "b",
      authenticatorPassword: "c",
      durable: false,
    };
    const runAsOrdinaryUser = async () => {
      const part = fork(join(import.meta.dirname, "../main.ts"), {
        ...ordinary,
        env: { PATH: process.env.PATH, PART_SETTINGS: JSON.stringify(settings) },
        execPath: join(import.meta.dirname, "../../../node_modules/.bin/node"),
        execArgv: [],
        stdio: ["ignore", "ignore", "inherit", "ipc"],
      });
      const [message] = await once(part, "message");
      if (part.exitCode === null) {
        part.kill("SIGTERM");
        await once(part, "exit");
      }
      return message;
    };
    expect(await runAsOrdinaryUser()).toEqual({ type: "ready" });
    expect((await stat(join(dataDir, "cluster"))).uid).toBe(ordinary.uid);
    server = await startPostgres({ ...settings }, log);
    expect(await query(server.postgresUrl, "select current_user as me")).toEqual([{ me: "postgres" }]);
    await server.stop();
    expect(await runAsOrdinaryUser()).toMatchObject({
      type: "failed",
      reason: expect.stringContaining("belongs to another user"),
    });
  },
);

test("links that the package manager left out are made, and a differing extension file is replaced", async () => {
  const native = await findNativeFolder();
  const mine = join(runtimeDir, "native");
  await cp(native.path, mine, { recursive: true, verbatimSymlinks: true });
  await rm(join(mine, "lib/libpq.so.5"));
  await chmod(join(mine, "bin/postgres"), 0o644);
  await writeFile(join(mine, "share/postgresql/extension/supabase_vault.control"), "old");
  expect(await readyServerFiles(serverAccount(), runtimeDir, log, { ...native, path: mine })).toBe(mine);
  expect(existsSync(join(mine, "lib/libpq.so.5"))).toBe(true);
  expect(await readFile(join(mine, "share/postgresql/extension/supabase_vault.control"), "utf8")).toContain(
    "0.3.1",
  );
});
