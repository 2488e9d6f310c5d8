import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { isAlive, type ProcessEntry, processTable } from "../../local/stack/process-groups.ts";
import { findRunningStack, removeStackData, type Stack, startStack } from "../../local/stack/stack.ts";

const notices: string[] = [];
let dataDir = "";
let stack: Stack;

const start = () =>
  startStack({
    dataDir,
    ports: "free",
    output: { part: () => undefined, notice: (sentence) => void notices.push(sentence) },
  });

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "survivor-"));
  stack = await start();
}, 90_000);

afterAll(async () => {
  await stack?.stop();
  await removeStackData(dataDir);
  await rm(dataDir, { recursive: true, force: true });
}, 60_000);

/** Runs one statement as the superuser on a connection of its own: after a restart of Postgres an old one is dead. */
async function query(statement: string): Promise<postgres.Row[]> {
  const sql = postgres(stack.databaseUrls.admin, { max: 1, connect_timeout: 5, onnotice: () => undefined });
  try {
    return await sql.unsafe(statement);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** The processes of these numbers and everything they have started, to any depth. */
function descendantsOf(pids: number[]): ProcessEntry[] {
  const table = processTable() ?? [];
  const found = table.filter((entry) => pids.includes(entry.pid));
  for (const entry of found) found.push(...table.filter((child) => child.parent === entry.pid));
  return found;
}

async function get(url: string, headers: Record<string, string> = {}): Promise<number> {
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
  await answer.body?.cancel();
  return answer.status;
}

async function schedule(name: string, command: string): Promise<void> {
  await query(`select cron.schedule('${name}', '1 seconds', $job$${command}$job$)`);
}

/** What shows that a part does its work, not only that its process is there. Each throws or rejects while it does not. */
const works: Record<string, () => Promise<void>> = {
  postgres: async () => {
    expect(await query("select 1 as one")).toEqual([{ one: 1 }]);
  },
  gateway: async () => {
    const apikey = stack.secretKey;
    expect(await get(`${stack.url}/rest/v1/video_calls?select=id&limit=1`, { apikey })).toBe(200);
  },
  realtime: async () => {
    const url = `${stack.url.replace("http", "ws")}/realtime/v1/websocket?apikey=${stack.publishableKey}&vsn=1.0.0`;
    const socket = new WebSocket(url);
    try {
      await new Promise<void>((resolve, reject) => {
        const limit = setTimeout(() => reject(new Error("no reply from Realtime")), 3_000);
        socket.onerror = () => reject(new Error("Realtime refused the socket"));
        socket.onopen = () =>
          socket.send(JSON.stringify({ topic: "phoenix", event: "heartbeat", payload: {}, ref: "1" }));
        socket.onmessage = () => {
          clearTimeout(limit);
          resolve();
        };
      });
    } finally {
      socket.close();
    }
  },
  functions: async () => {
    // Without a token, so it is refused: by the function's own code or the runner's check, but answered by it.
    const status = await get(`${stack.url}/functions/v1/play-recording`);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  },
  b2: async () => expect(await get(`${stack.addresses.b2}/recordings?list-type=2`)).toBe(403),
  agora: async () =>
    expect(
      await get(`${stack.addresses.agora}/v1/apps/${stack.env.AGORA_APP_ID}/cloud_recording/acquire`),
    ).toBeGreaterThanOrEqual(400),
  net: async () => {
    const [row] = await query(`select net.http_get('${stack.addresses.b2}/') as id`);
    await vi.waitFor(
      async () => {
        expect(await query(`select 1 from net._http_response where id = ${row?.id}`)).toHaveLength(1);
      },
      { timeout: 30_000, interval: 100 },
    );
  },
  cron: async () => {
    const name = `alive-${Date.now()}`;
    await schedule(name, "select 1");
    try {
      await vi.waitFor(
        async () => {
          const runs = await query(
            `select 1 from cron.job_run_details d join cron.job j using (jobid) where j.jobname = '${name}' and d.status = 'succeeded'`,
          );
          expect(runs.length).toBeGreaterThan(0);
        },
        { timeout: 30_000, interval: 100 },
      );
    } finally {
      await query(`select cron.unschedule('${name}')`);
    }
  },
};

const parts = Object.keys(works);

/** A part whose database was away may need a moment to reconnect. */
async function untilItWorks(part: string): Promise<void> {
  try {
    await vi.waitFor(() => works[part]?.(), { timeout: 20_000, interval: 200 });
  } catch (error) {
    throw new Error(`${part} does not work`, { cause: error });
  }
}

test("every part of the stack is looked at here", () => {
  expect(Object.keys(stack.pids()).sort()).toEqual([...parts].sort());
});

test.each(parts)(
  "%s serves again after it was killed, and every other part works as before",
  async (part) => {
    await works[part]?.();
    const before = stack.pids();
    notices.length = 0;
    process.kill(before[part] ?? 0, "SIGKILL");

    await vi.waitFor(
      () => expect(notices.some((sentence) => sentence.startsWith(`${part} is back`))).toBe(true),
      { timeout: 30_000, interval: 50 },
    );
    expect(notices[0]).toBe(`${part} died (SIGKILL), restarting`);
    for (const name of [part, ...parts.filter((other) => other !== part)]) await untilItWorks(name);
    const after = stack.pids();
    expect(after[part]).not.toBe(before[part]);
    expect({ ...after, [part]: 0 }).toEqual({ ...before, [part]: 0 });
  },
  90_000,
);

test("a restart keeps the data, and nothing runs in between", async () => {
  await query("create table public.kept (word text)");
  await query("insert into public.kept values ('still here')");
  const { secretKey } = stack;
  expect((await findRunningStack(dataDir))?.url).toBe(stack.url);

  const processes = descendantsOf(Object.values(stack.pids()));
  expect(processes.length).toBeGreaterThan(parts.length);

  await stack.stop();

  expect(await findRunningStack(dataDir)).toBeUndefined();
  expect(processes.filter(({ pid, startedAt }) => isAlive(pid, startedAt))).toEqual([]);

  stack = await start();
  expect(await query("select word from public.kept")).toEqual([{ word: "still here" }]);
  expect(stack.secretKey).toBe(secretKey);
}, 90_000);
