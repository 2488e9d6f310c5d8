import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import postgres from "postgres";
import { localBucket } from "../../local/stack/environment.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { processOf, until } from "../../tests/chaos/kill-function.ts";
import { openStores, type PlantOrder, plantRecording } from "../../tests/chaos/staged-recording.ts";
import { createUploadLog, type UploadLine } from "../../tests/chaos/upload-log.ts";
import { median, percentile } from "../database/statistics.ts";
import { type Usage, watchProcess } from "./process-watch.ts";

const run = promisify(execFile);
const MIB = 2 ** 20;
/** What one slice of six parts of 16 MiB is: the peer copies as much at once. */
const SLICE_BYTES = 96 * MIB;
const FILE_BYTES = 1024 * MIB;
const PEER_ROUNDS = 5;
const SEGMENTS = { count: 5_000, bytes: 20_000 };
const LIMIT_MS = 600_000;
/** Longer than a part takes to be begun, shorter than any pause. */
const PAUSE_MS = 150;

interface Copied {
  lines: UploadLine[];
  usage: Usage;
  /** From the first byte that was sent to the last one that arrived. */
  ms: number;
}

/**
 * Copies 1 GiB from the local staging bucket to the local bucket through the real function in the real runner, beside
 * a plain streaming copy in the same runtime before and after it; then 5,000 small segments. Prints its part of the report.
 *
 * @throws Error when something could not be measured.
 */
export async function benchTransfer(say: (line?: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "bench-transfer-"));
  const uploads = createUploadLog(localBucket.name);
  let stack: Stack | undefined;
  let sql: postgres.Sql | undefined;
  try {
    const output = { part: uploads.take, notice: () => undefined };
    stack = await startStack({ dataDir: folder, ports: "free", staging: true, output });
    sql = postgres(stack.databaseUrls.admin, { max: 2, onnotice: () => undefined });
    const world = { stack, sql, uploads };
    const stores = openStores(stack);
    await stores.staging.putNoise("plain/source", FILE_BYTES, 1);
    const before = await plainCopies(stack);
    const large = await copy(world, { segments: { count: 1, bytes: 1_000 }, mp4Bytes: FILE_BYTES, seed: 2 });
    const after = await plainCopies(stack);
    sayLarge(say, large, [...before, ...after]);
    sayMany(say, await copy(world, { segments: SEGMENTS, seed: 3 }));
  } finally {
    await sql?.end({ timeout: 2 });
    await stack?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function copy(
  { stack, sql, uploads }: { stack: Stack; sql: postgres.Sql; uploads: ReturnType<typeof createUploadLog> },
  order: PlantOrder,
): Promise<Copied> {
  const from = uploads.lines.length;
  const pid = await until("run-storage", 30_000, () => processOf(stack, "run-storage"));
  const watch = await watchProcess(pid);
  const planted = await plantRecording(sql, openStores(stack), order);
  await until("the end of the copy", LIMIT_MS, async () => {
    const [row] = await sql`select status from public.recordings where id = ${planted.id}`;
    return row?.status === "recorded" ? true : undefined;
  });
  const usage = await watch.stop();
  const lines = uploads.lines.slice(from).filter(({ key }) => planted.hashes.has(key));
  return { lines, usage, ms: (lines.at(-1)?.atMs ?? 0) - (lines[0]?.atMs ?? 0) };
}

/** Milliseconds of each plain copy of one slice's bytes. */
async function plainCopies(stack: Stack): Promise<number[]> {
  const storeOf = (names: string) => ({
    endpoint: stack.env[`${names}ENDPOINT`],
    region: stack.env[`${names}REGION`],
    bucket: stack.env[`${names}BUCKET_NAME`],
    keyId: stack.env[`${names}ACCESS_KEY_ID`],
    applicationKey: stack.env[`${names}SECRET_ACCESS_KEY`],
  });
  const order = {
    source: storeOf("STAGING_S3_"),
    destination: storeOf("BACKBLAZE_B2_"),
    key: "plain/source",
    bytes: SLICE_BYTES,
    rounds: PEER_ROUNDS,
  };
  const deno = join(dirname(createRequire(import.meta.url).resolve("deno/package.json")), "deno");
  const projectDir = join(import.meta.dirname, "../..");
  const { stdout } = await run(
    deno,
    [
      "run",
      "--quiet",
      "--cached-only",
      "--no-lock",
      "--config",
      join(projectDir, "deno.json"),
      "-A",
      join(import.meta.dirname, "plain-copy.ts"),
      JSON.stringify(order),
    ],
    { env: { ...process.env, DENO_NO_UPDATE_CHECK: "1" } },
  );
  return stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { ms: number }).ms);
}

/** Runs of uploads without a longer pause between them. */
function slicesOf(
  lines: readonly UploadLine[],
): { ms: number; bytes: number; pauseMs: number | undefined }[] {
  const slices: { beganAt: number; endedAt: number; bytes: number; pauseMs: number | undefined }[] = [];
  for (const { event, atMs, bytes } of lines) {
    const last = slices.at(-1);
    if (event === "began" && (last === undefined || atMs - last.endedAt > PAUSE_MS)) {
      const pauseMs = last === undefined ? undefined : atMs - last.endedAt;
      slices.push({ beganAt: atMs, endedAt: atMs, bytes: 0, pauseMs });
    } else if (event === "ended" && last !== undefined) {
      last.endedAt = atMs;
      last.bytes += bytes;
    }
  }
  return slices.map(({ beganAt, endedAt, bytes, pauseMs }) => ({ ms: endedAt - beganAt, bytes, pauseMs }));
}

const rateOf = (bytes: number, ms: number) => bytes / MIB / (ms / 1000);
const whole = (value: number) => value.toFixed(0);
const verdict = (isMet: boolean) => (isMet ? "met" : "MISSED");

function sayLarge(say: (line?: string) => void, { lines, usage, ms }: Copied, plainMs: number[]): void {
  const parts = lines.filter(({ part }) => part !== undefined);
  const full = slicesOf(parts).filter(({ bytes }) => bytes === SLICE_BYTES);
  const rates = full.map((slice) => rateOf(slice.bytes, slice.ms));
  const plain = plainMs.map((each) => rateOf(SLICE_BYTES, each));
  const pauses = slicesOf(parts).flatMap(({ pauseMs }) => (pauseMs === undefined ? [] : [pauseMs]));
  if (rates.length === 0 || pauses.length === 0)
    throw new Error("no whole slice was seen: nothing was measured");
  const ratio = median(rates) / median(plain);
  const longest = Math.max(...pauses);
  const peakMb = usage.peakBytes / 1e6;
  say(
    "\nTransfer: 1 GiB from the staging bucket to ours, through the function in its runner, slices of 96 MiB",
  );
  say(
    `  within a slice            ${whole(median(rates))} MiB/s median of ${rates.length} (${whole(Math.min(...rates))} to ${whole(Math.max(...rates))})`,
  );
  say(
    `  plain streaming copy      ${whole(median(plain))} MiB/s median of ${plain.length} (${whole(Math.min(...plain))} to ${whole(Math.max(...plain))})`,
  );
  say(`  ours to plain             ${ratio.toFixed(2)} × (wanted 0.90 or more: ${verdict(ratio >= 0.9)})`);
  say(
    `  pause between slices      ${whole(median(pauses))} ms median, ${whole(percentile(pauses, 0.95))} p95, ${whole(longest)} most (wanted at most 1500: ${verdict(longest <= 1_500)})`,
  );
  say(
    `  memory of the function    ${whole(peakMb)} MB most, ${whole(usage.firstBytes / 1e6)} MB before (wanted under 150: ${verdict(peakMb < 150)})`,
  );
  say(
    `  processor                 ${usage.cpuSeconds.toFixed(2)} s per GiB, ${((usage.cpuSeconds * SLICE_BYTES) / FILE_BYTES).toFixed(2)} s per slice`,
  );
  say(`  all of it                 ${(ms / 1000).toFixed(1)} s`);
}

function sayMany(say: (line?: string) => void, { lines, usage, ms }: Copied): void {
  const count = lines.filter(({ event }) => event === "ended").length;
  const slices = slicesOf(lines);
  say(`\nTransfer: ${SEGMENTS.count} segments of ${SEGMENTS.bytes / 1000} kB, then their playlist`);
  say(
    `  all of it                 ${(ms / 1000).toFixed(1)} s, ${whole(count / (ms / 1000))} objects/s, in ${slices.length} slices`,
  );
  say(
    `  processor                 ${usage.cpuSeconds.toFixed(2)} s, ${((usage.cpuSeconds / count) * 1000).toFixed(2)} ms per object`,
  );
  const peakMb = usage.peakBytes / 1e6;
  say(
    `  memory of the function    ${whole(peakMb)} MB most, ${whole(usage.firstBytes / 1e6)} MB before (wanted under 150: ${verdict(peakMb < 150)})`,
  );
}
