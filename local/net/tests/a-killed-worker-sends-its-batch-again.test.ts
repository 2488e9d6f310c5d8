import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../postgres/testing.ts";
import { type Bench, openBench, openTarget, type Target } from "./bench.ts";

let server: TestServer;
let bench: Bench;
let target: Target;
let children: ChildProcess[] = [];

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  bench = await openBench(server);
});
afterEach(async () => {
  for (const child of children.filter(
    ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
  )) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  children = [];
  await bench.close();
  await target.close();
});

/** The real process, as the supervisor starts it. */
async function startProcess(): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL("../main.ts", import.meta.url)), {
    env: {
      ...process.env,
      PART_SETTINGS: JSON.stringify({ databaseUrl: bench.database.adminUrl, restMs: 50 }),
    },
    execArgv: [],
    silent: true,
  });
  children.push(child);
  const [message] = await once(child, "message");
  expect(message).toEqual({ type: "ready" });
  return child;
}

const workerIsUp = async () => {
  try {
    await bench.sql`select net.check_worker_is_up()`;
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "P0001", message: "the pg_net background worker is not up" });
    return false;
  }
};

test("killed in the middle of a pass, its requests are still queued, and the next worker sends them again", async () => {
  const release = Promise.withResolvers<void>();
  target = await openTarget(async (_, response) => {
    await release.promise;
    response.end("ok");
  });
  const first = await startProcess();
  await bench.sql`select net.http_get(${`${target.url}/`} || n) from generate_series(1, 3) as n`;
  await target.arrived(3);
  first.kill("SIGKILL");
  await once(first, "exit");
  await expect.poll(workerIsUp).toBe(false);
  expect(await bench.sql`select id from net.http_request_queue`).toHaveLength(3);
  expect(await bench.responses()).toHaveLength(0);

  await startProcess();
  await target.arrived(6);
  release.resolve();
  await expect.poll(() => bench.responses()).toHaveLength(3);
  expect(target.arrivals.map(({ path }) => path).sort()).toEqual(["/1", "/1", "/2", "/2", "/3", "/3"]);
});

test("told to end, it finishes the pass it is in", async () => {
  target = await openTarget((_, response) => void setTimeout(() => response.end("ok"), 300));
  const child = await startProcess();
  await bench.sql`select net.http_get(${target.url})`;
  await target.arrived(1);
  child.kill("SIGTERM");
  const [code] = await once(child, "exit");
  expect(code).toBe(0);
  expect(await bench.responses()).toHaveLength(1);
});

test("one that lost its database connections says so, comes back by itself and hears wake-ups again", async () => {
  target = await openTarget();
  const lines: string[] = [];
  await bench.startWorker({ restMs: 10 }, (message) => lines.push(message));
  const admin = postgres(bench.database.adminUrl, { max: 1 });
  const cutOff = (name: string) => admin`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = ${name} and datname = current_database()`;
  try {
    for (const [round, name] of ["pg_net wake-ups", "pg_net 0.20.4"].entries()) {
      await bench.sql`select net.http_get(${`${target.url}/before`})`;
      await target.arrived(round * 2 + 1);
      expect(await cutOff(name)).toHaveLength(1);
      await expect
        .poll(() => lines.filter((line) => line === "connected to the database again"))
        .toHaveLength(round + 1);
      await bench.sql`select net.http_get(${`${target.url}/after`})`;
      await target.arrived(round * 2 + 2);
    }
    expect(lines.filter((line) => line === "lost the connection to the database")).toHaveLength(2);
  } finally {
    await admin.end();
  }
});

test("cut off from the database in the middle of a pass, it lives on and sends that batch again", async () => {
  const release = Promise.withResolvers<void>();
  target = await openTarget(async (_, response) => {
    await release.promise;
    response.end("ok");
  });
  await bench.startWorker({ restMs: 10 });
  await bench.sql`select net.http_get(${`${target.url}/`} || n) from generate_series(1, 2) as n`;
  await target.arrived(2);
  const admin = postgres(bench.database.adminUrl, { max: 1 });
  try {
    await admin`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'pg_net 0.20.4' and datname = current_database()`;
  } finally {
    await admin.end();
    release.resolve();
  }
  await target.arrived(4);
  await expect.poll(() => bench.responses()).toHaveLength(2);
});

test("a pass that the database refuses leaves its requests, and is tried again until they can go", async () => {
  target = await openTarget();
  const lines: string[] = [];
  // libcurl refuses a negative limit, and in the real worker, too, such a row holds up all others.
  await bench.sql`select net.http_get(${`${target.url}/poison`}, timeout_milliseconds => -1)`;
  await bench.sql`select net.http_get(${`${target.url}/good`})`;
  await bench.startWorker({ restMs: 20 }, (message) => lines.push(message));
  await expect.poll(() => lines.filter((line) => line.includes("a pass failed")).length).toBeGreaterThan(1);
  expect(target.arrivals).toHaveLength(0);
  await bench.sql`delete from net.http_request_queue where timeout_milliseconds < 0`;
  await target.arrived(1);
  expect(target.arrivals.map(({ path }) => path)).toEqual(["/good"]);
});

test("net.worker_restart() starts it anew, and net.wait_until_running() waits for it", async () => {
  target = await openTarget();
  const pid = async () =>
    (
      await bench.sql`
      select pid from pg_stat_activity where application_name = 'pg_net 0.20.4' and datname = current_database()`
    )[0]?.pid;
  const waiting = bench.sql`select net.wait_until_running()`.execute();
  await bench.startWorker({ restMs: 10 });
  await waiting;
  expect(await workerIsUp()).toBe(true);
  const before = await pid();
  expect(await bench.sql`select net.worker_restart() as done`).toEqual([{ done: true }]);
  await expect.poll(async () => ![undefined, before].includes(await pid())).toBe(true);
  await bench.sql`select net.http_get(${`${target.url}/after`})`;
  await target.arrived(1);
});

test("it waits for the extension to be installed", async () => {
  target = await openTarget();
  await bench.sql`drop extension pg_net`;
  const lines: string[] = [];
  await bench.startWorker({ restMs: 20 }, (message) => lines.push(message));
  await bench.sql`create extension pg_net with schema extensions`;
  await bench.sql`select net.http_get(${`${target.url}/installed`})`;
  await target.arrived(1);
  expect(lines.filter((line) => line.includes("failed"))).toEqual([]);
});
