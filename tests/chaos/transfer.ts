import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import postgres from "postgres";
import { localBucket } from "../../local/stack/environment.ts";
import { startStack } from "../../local/stack/stack.ts";
import { killTheCopier } from "./kill-the-copier.ts";
import { createUploadLog } from "./upload-log.ts";

const GIB = 2 ** 30;
const help = `Copies a large recording in staged mode while the function is killed again and again.

  node tests/chaos/transfer.ts [--gib N] [--kills N] [--part-mib N] [--seed N] [--minutes N]

Takes twice the bytes of disk, in a temporary folder that is removed. Exit code 0: byte-identical, at most one part sent
again per kill, half of the kills met a part in the air.`;

const { values } = parseArgs({
  options: {
    gib: { type: "string", default: "5" },
    kills: { type: "string", default: "20" },
    "part-mib": { type: "string", default: "16" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    minutes: { type: "string", default: "60" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  console.log(help);
  process.exit(0);
}
const bounded = (name: string, text: string, most: number) => {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0 && number <= most) return number;
  console.error(`--${name} must be more than 0 and at most ${most}`);
  process.exit(1);
};
const bytes = Math.round(bounded("gib", values.gib, 50) * GIB);
const kills = Math.round(bounded("kills", values.kills, 100));
const partBytes = Math.round(bounded("part-mib", values["part-mib"], 64) * 2 ** 20);
const seed = Math.round(bounded("seed", values.seed, 2 ** 31));
const limitMs = bounded("minutes", values.minutes, 240) * 60_000;

const folder = await mkdtemp(join(tmpdir(), "chaos-transfer-"));
const uploads = createUploadLog(localBucket.name);
console.log(`seed ${seed}: ${values.gib} GiB, ${kills} kills, parts of ${values["part-mib"]} MiB`);
const stack = await startStack({
  dataDir: folder,
  ports: "free",
  staging: true,
  output: { part: uploads.take, notice: (sentence) => console.log(sentence) },
});
const sql = postgres(stack.databaseUrls.admin, { max: 2, onnotice: () => undefined });
try {
  const result = await killTheCopier({
    stack,
    sql,
    uploads,
    bytes,
    partBytes,
    kills,
    seed,
    sliceBytes: 100 * 2 ** 20,
    limitMs,
    say: (line) => console.log(line),
  });
  const isProven =
    result.isIdentical &&
    result.unexplained.length === 0 &&
    result.killsInTheAir * 2 >= kills &&
    result.left.length === 0;
  console.log(
    `${isProven ? "proven" : "NOT PROVEN"}: ${result.isIdentical ? "byte-identical" : "the bytes DIFFER"} after ${result.kills} kills, ` +
      `${result.killsInTheAir} of them with a part in the air; ${result.resent} parts were sent again, ${result.unexplained.length} of them without a kill of their own; ` +
      `${result.left.length} unfinished uploads are left; ${Math.round(result.ms / 1000)} s; seed ${seed}`,
  );
  for (const { part, beforeMs, againMs } of result.unexplained) {
    console.log(`  part ${part} was begun again ${againMs - beforeMs} ms after it was begun`);
  }
  process.exitCode = isProven ? 0 : 1;
} catch (error) {
  console.error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await sql.end({ timeout: 2 });
  await stack.stop();
  await rm(folder, { recursive: true, force: true });
}
