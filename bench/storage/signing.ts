import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { median, percentile } from "../database/statistics.ts";

const run = promisify(execFile);
const projectDir = resolve(import.meta.dirname, "../..");

/** What writing and signing the playlist of a four-hour recording may take, ms of CPU. */
const TARGET_MS = 50;
/** At Agora's slices of 15 s, and at the shortest there are, 2 s. */
const SEGMENT_COUNTS = [960, 7_200];

const measured = z.object({
  segmentCount: z.number(),
  /** In a process that has done nothing before. */
  first: z.number(),
  playlistBytes: z.number(),
  agrees: z.object({ aws4fetch: z.literal(true) }),
  whole: z.array(z.number()),
  ours: z.array(z.number()),
  aws4fetch: z.array(z.number()),
  sdk: z.array(z.number()),
});

/**
 * Writes and signs the playlist of a four-hour recording in Deno, and signs the same addresses with aws4fetch and with
 * the AWS SDK's presigner, in turns in one process; CPU of the whole process, garbage collection and compiler included.
 *
 * @throws Error when a peer signs something else, or Deno fails.
 */
export async function benchSigning(say: (line?: string) => void): Promise<void> {
  say(
    "\nPlaylist of a four-hour recording, ms of CPU in Deno: from the manifest's text to the signed playlist",
  );
  const deno = join(dirname(createRequire(import.meta.url).resolve("deno/package.json")), "deno");
  for (const segmentCount of SEGMENT_COUNTS) {
    const { stdout } = await run(
      deno,
      [
        ...["run", "--cached-only", "--no-lock", "--no-check", "--config", "deno.json", "-A"],
        join(import.meta.dirname, "signing-rounds.ts"),
        String(segmentCount),
      ],
      { cwd: projectDir, maxBuffer: 1 << 20, timeout: 300_000 },
    );
    const { first, whole, ours, playlistBytes, ...peers } = measured.parse(JSON.parse(stdout));
    const spread = (values: number[]) =>
      `p50 ${median(values).toFixed(1).padStart(7)}  p95 ${percentile(values, 0.95).toFixed(1).padStart(7)}`;
    const verdict = median(whole) < TARGET_MS ? "met" : "MISSED";
    say(`  ${segmentCount} slices, ${(playlistBytes / 1e6).toFixed(1)} MB`);
    say(
      `    manifest to playlist            ${spread(whole)}  first in its process ${first.toFixed(1)}; p50 under ${TARGET_MS}: ${verdict}`,
    );
    say(`    signing alone                   ${spread(ours)}`);
    for (const [name, values] of [
      ["aws4fetch, signQuery", peers.aws4fetch],
      ["@aws-sdk/s3-request-presigner", peers.sdk],
    ] as const) {
      const ratio = median(values) / median(ours);
      say(`    ${name.padEnd(31)} ${spread(values)}  ${ratio.toFixed(1)} × ours`);
    }
  }
}
