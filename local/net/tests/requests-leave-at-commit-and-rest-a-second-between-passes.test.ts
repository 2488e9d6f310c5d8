import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestServer, type TestServer } from "../../postgres/testing.ts";
import { type Bench, openBench, openTarget, type Target } from "./bench.ts";

let server: TestServer;
let bench: Bench;
let target: Target;

beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  bench = await openBench(server);
  target = await openTarget();
});
afterEach(async () => {
  await bench.close();
  await target.close();
});

const queued = async () => Number((await bench.sql`select count(*) from net.http_request_queue`)[0]?.count);

/** Commits one request; gives the time of the commit. */
async function send(path: string): Promise<number> {
  await bench.sql`select net.http_get(${`${target.url}${path}`})`;
  return performance.now();
}

describe("when a request leaves", () => {
  test("nothing is sent before commit, and it is sent within milliseconds after it", async () => {
    await bench.startWorker();
    await bench.sql.begin(async (transaction) => {
      await transaction`select net.http_get(${`${target.url}/after-commit`})`;
      // Another transaction that commits meanwhile wakes the worker, which must not see ours.
      await send("/other");
      await target.arrived(1);
      await expect.poll(() => bench.responses()).toHaveLength(1);
      expect(target.arrivals.map(({ path }) => path)).toEqual(["/other"]);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
    });
    const committed = performance.now();
    const [, arrival] = await target.arrived(2);
    expect(arrival?.path).toBe("/after-commit");
    expect((arrival?.at ?? 0) - committed).toBeLessThan(150);
  });

  test("a transaction that rolls back sends nothing and leaves nothing in the queue", async () => {
    await bench.startWorker({ restMs: 10 });
    await expect(
      bench.sql.begin(async (transaction) => {
        await transaction`select net.http_get(${`${target.url}/rolled-back`})`;
        throw new Error("changed my mind");
      }),
    ).rejects.toThrow("changed my mind");
    await send("/kept");
    await expect.poll(() => bench.responses()).toHaveLength(1);
    expect(target.arrivals.map(({ path }) => path)).toEqual(["/kept"]);
    expect(await queued()).toBe(0);
  });

  test("a row put into the queue by hand waits for the next wake-up", async () => {
    await bench.startWorker({ restMs: 10 });
    // Asleep, not just between two looks.
    const sleeping = () => bench.sql`
      select 1 from pg_stat_activity
      where application_name = 'pg_net 0.20.4' and datname = current_database()
        and state = 'idle' and state_change < clock_timestamp() - interval '100 ms'`;
    await expect.poll(sleeping).toHaveLength(1);
    await bench.sql`
      insert into net.http_request_queue (method, url, timeout_milliseconds)
      values ('get', ${`${target.url}/by-hand`}, 5000)`;
    // Not a proof that it never leaves, but long enough for a worker that listens to the table.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(target.arrivals).toHaveLength(0);
    await bench.sql`select net.wake()`;
    const [arrival] = await target.arrived(1);
    expect(arrival?.path).toBe("/by-hand");
  });

  test("what was queued while no worker ran is sent straight away at its start", async () => {
    await send("/waiting");
    expect(await queued()).toBe(1);
    await bench.startWorker();
    const [arrival] = await target.arrived(1);
    expect(arrival?.path).toBe("/waiting");
  });
});

describe("the rest after a pass", () => {
  test("a request right after another one waits a second, one after a second's peace does not", async () => {
    await bench.startWorker();
    await send("/first");
    const [first] = await target.arrived(1);
    await send("/second");
    const [, second] = await target.arrived(2);
    const gap = (second?.at ?? 0) - (first?.at ?? 0);
    expect(gap).toBeGreaterThan(995);
    expect(gap).toBeLessThan(1_300);

    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const committed = await send("/third");
    const [, , third] = await target.arrived(3);
    expect((third?.at ?? 0) - committed).toBeLessThan(150);
  });

  test("250 requests of one transaction leave as 200 and, a second later, 50, in the order of their ids", async () => {
    await bench.startWorker();
    await bench.sql`select net.http_get(${`${target.url}/`} || n) from generate_series(1, 250) as n`;
    await target.arrived(250);
    const times = target.arrivals.map(({ at }) => at).sort((a, b) => a - b);
    const start = times[0] ?? 0;
    expect(times.filter((at) => at - start < 950)).toHaveLength(200);
    expect((times[200] ?? 0) - start).toBeGreaterThan(995);
    const second = target.arrivals
      .filter(({ at }) => at - start > 950)
      .map(({ path }) => Number(path.slice(1)));
    expect(Math.min(...second)).toBe(201);
  });
});

describe("response rows", () => {
  test("no row of a batch shows before its slowest request is done", async () => {
    const slow = Promise.withResolvers<void>();
    const held = await openTarget(async ({ path }, response) => {
      if (path === "/slow") await slow.promise;
      response.end("ok");
    });
    try {
      await bench.startWorker();
      await bench.sql`select net.http_get(url) from unnest(${[`${held.url}/fast`, `${held.url}/slow`]}::text[]) as url`;
      await held.arrived(2);
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await bench.responses()).toHaveLength(0);
      // To everybody else the requests still stand in the queue.
      expect(await queued()).toBe(2);
      slow.resolve();
      await expect.poll(() => bench.responses()).toHaveLength(2);
      expect(await queued()).toBe(0);
    } finally {
      slow.resolve();
      await held.close();
    }
  });

  test("a row older than the time to live goes with the next pass, at most a batch of them at a time", async () => {
    await bench.sql`
      insert into net._http_response (id, created)
      select -n, now() - interval '60 seconds' - n * interval '1 second' from generate_series(1, 3) as n`;
    await bench.sql`insert into net._http_response (id, created) values (0, now() - interval '50 seconds')`;
    await bench.startWorker({ batchSize: 2, ttlSeconds: 60, restMs: 400 });
    const ids = async () => (await bench.responses()).map(({ id }) => id);
    await expect.poll(ids, { interval: 10 }).toEqual(["-1", "0"]);
    await expect.poll(ids).toEqual(["0"]);
  });
});
