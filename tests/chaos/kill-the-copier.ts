import { setTimeout as pause } from "node:timers/promises";
import type postgres from "postgres";
import { z } from "zod";
import type { Stack } from "../../local/stack/stack.ts";
import { processOf, until } from "./kill-function.ts";
import { seededRandom } from "./seeded-random.ts";
import { openStores, plantRecording } from "./staged-recording.ts";
import { killsInTheAir, type Resend, resentParts, type UploadLog, unexplained } from "./upload-log.ts";

export interface ChaosOrder {
  stack: Stack;
  sql: postgres.Sql;
  /** The log of the uploads into our bucket, fed by the stack's output. */
  uploads: UploadLog;
  bytes: number;
  partBytes: number;
  kills: number;
  seed: number;
  sliceBytes: number;
  limitMs: number;
  say: (line: string) => void;
}

export interface ChaosResult {
  recordingId: string;
  kills: number;
  /** Kills that met a part in the air, by the store's own log. */
  killsInTheAir: number;
  /** Parts that were begun again. */
  resent: number;
  /** Those of them that no kill explains, where each kill may account for one. */
  unexplained: Resend[];
  isIdentical: boolean;
  /** What is left in the staging store and in unfinished uploads at the end. */
  left: string[];
  ms: number;
}

/**
 * Copies one large file in staged mode while the process of run-storage is killed, again and again: every third time at a
 * moment that the seed decides, else while a part is on its way, whose source the store gives so slowly that it surely is.
 * Everything that is counted is what the store wrote down.
 */
export async function killTheCopier(order: ChaosOrder): Promise<ChaosResult> {
  const { stack, sql, uploads, kills, say } = order;
  const random = seededRandom(order.seed);
  const begunAt = Date.now();
  for (const [name, value] of Object.entries({
    drain_lease: 2,
    transfer_part_bytes: order.partBytes,
    transfer_slice_bytes: order.sliceBytes,
  })) {
    await sql`update recorder.settings set value = ${value} where name = ${name}`;
  }
  const stores = openStores(stack);
  say(`writing ${order.bytes} bytes into the staging store`);
  const planted = await plantRecording(sql, stores, {
    segments: { count: 3, bytes: 200_000 },
    mp4Bytes: order.bytes,
    seed: order.seed,
  });
  const left = () => order.limitMs - (Date.now() - begunAt);
  const status = async () => {
    // As the scheduler does every 10 s; more often, so that an expired lease is seen sooner.
    await sql`select recorder.sweep()`;
    const [row] = await sql<{ status: string; arrived: number }[]>`
      select r.status, (select count(*)::int from recorder.transfer_parts) as arrived
      from public.recordings r where r.id = ${planted.id}`;
    return row ?? { status: "gone", arrived: 0 };
  };

  const killsMs: number[] = [];
  while (killsMs.length < kills) {
    const killed = killsMs.length;
    const isAimed = killed % 3 !== 2;
    const wish = random();
    const working = isAimed
      ? untilAPartIsSlow(stack, order.partBytes, left())
      : untilWorking(uploads, left());
    // Whether its job is handed out again is up to the sweep.
    const sweeping = new AbortController();
    const swept = (async (): Promise<never> => {
      while (true) {
        sweeping.signal.throwIfAborted();
        const { status: now } = await status();
        if (now !== "processing")
          throw new Error(`the recording became ${now} after ${killed} kills: use more bytes`);
        await pause(250);
      }
    })();
    swept.catch(() => undefined);
    let pid: number;
    const moment = async () => {
      await working;
      const found = await until(
        "a process of run-storage",
        left(),
        () => processOf(stack, "run-storage"),
        20,
      );
      if (!isAimed) await pause(wish * 1_500);
      return found;
    };
    try {
      pid = await Promise.race([moment(), swept]);
    } finally {
      sweeping.abort();
    }
    process.kill(pid, "SIGKILL");
    const killedMs = Date.now();
    killsMs.push(killedMs);
    await until("the end of the killed process", left(), async () =>
      (await processOf(stack, "run-storage")) === pid ? undefined : true,
    );
    await endLeasesOfTheDead(sql, killedMs);
    say(
      `kill ${killsMs.length} of ${kills}: ${killsInTheAir(uploads.lines, killsMs)} of them met a part in the air, ` +
        `${resentParts(uploads.lines).length} parts sent again`,
    );
  }
  await until(
    "the end of the recording",
    left(),
    async () => {
      const { status: now } = await status();
      if (now !== "processing" && now !== "recorded") throw new Error(`the recording became ${now}`);
      return now === "recorded" ? true : undefined;
    },
    500,
  );
  let isIdentical = true;
  for (const [key, hash] of planted.hashes) isIdentical &&= (await stores.ours.sha256(key)) === hash;
  await until(
    "the deletion of the sources",
    Math.max(left(), 30_000),
    async () => {
      await status();
      return (await stores.staging.keys(planted.prefix)).length === 0 ? true : undefined;
    },
    500,
  );
  return {
    recordingId: planted.id,
    kills: killsMs.length,
    killsInTheAir: killsInTheAir(uploads.lines, killsMs),
    resent: resentParts(uploads.lines).length,
    unexplained: unexplained(resentParts(uploads.lines), killsMs),
    isIdentical,
    left: await stores.ours.unfinishedUploads(),
    ms: Date.now() - begunAt,
  };
}

/**
 * Lets the lease of what the killed worker had under way be over: it is back-dated, not shortened. A lease that is
 * shorter than a job may take lets a second worker send what the first one, alive and slow, is sending too.
 */
async function endLeasesOfTheDead(sql: postgres.Sql, killedMs: number): Promise<void> {
  // A question that was under way is answered after the death of who asked; a new process takes longer than that to start.
  const claimedUntil = new Date(killedMs + 100);
  await sql`update recorder.jobs set leased_until = clock_timestamp() - interval '1 second'
    where lane = 'storage' and state = 'running' and leased_until <= ${claimedUntil} + recorder.seconds('storage_lease')`;
}

const uploadsUnderWay = z.object({
  underWay: z.array(
    z.object({ partNumber: z.number().optional(), sizeBytes: z.number(), receivedBytes: z.number() }),
  ),
});
/** A part that is seen so often, this far apart, and is not half through, is one that comes slowly. */
const looks = 5;
const lookEveryMs = 200;

/**
 * Lets the store give the source of the next part within two minutes, so that nothing of it waits in a buffer, and resolves
 * when that part is on its way.
 */
async function untilAPartIsSlow(
  { addresses, controlToken }: Stack,
  partBytes: number,
  limitMs: number,
): Promise<void> {
  const headers = { authorization: `Bearer ${controlToken}`, "content-type": "application/json" };
  const ask = async (what: string, init: RequestInit = {}): Promise<unknown> => {
    const answer = await fetch(`${addresses.b2}/__control/${what}`, { headers, ...init });
    if (!answer.ok) throw new Error(`the store's ${what}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  };
  const bytesPerSecond = Math.ceil(partBytes / 120);
  const fault = { kind: "slow", operation: "GetObject", keyContains: ".mp4", times: 1, bytesPerSecond };
  await ask("faults", { method: "POST", body: JSON.stringify(fault) });
  const seen = new Map<number, number>();
  await until(
    "a part that is on its way",
    limitMs,
    async () => {
      const { underWay } = uploadsUnderWay.parse(await ask("requests"));
      for (const { partNumber, sizeBytes, receivedBytes } of underWay) {
        if (partNumber === undefined || receivedBytes * 2 > sizeBytes) continue;
        seen.set(partNumber, (seen.get(partNumber) ?? 0) + 1);
      }
      return [...seen.values()].some((count) => count >= looks) ? true : undefined;
    },
    lookEveryMs,
  );
}

/** The next sign that somebody copies. */
function untilWorking(uploads: UploadLog, limitMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("nothing was sent any more")), limitMs);
    uploads.onLine = () => {
      uploads.onLine = () => undefined;
      clearTimeout(timer);
      resolve();
    };
  });
}
