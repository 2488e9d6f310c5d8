/** `npm run bench -- db`: what the database promises about speed, measured on a server of its own. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { describeMachine, lookAtLoad } from "../machine.ts";
import { benchFeeds } from "./feeds.ts";
import { benchQueues, ratioToPeer } from "./queues.ts";
import { startBenchServer } from "./server.ts";
import { benchStarts } from "./starts.ts";
import { median, percentile } from "./statistics.ts";
import { benchTriggers } from "./triggers.ts";
import { benchWakeUps } from "./wake-ups.ts";

/** What a feed may take at the 95th percentile, ms. */
const FEED_TARGET_MS = 5;

/** Read from package.json, which names exact versions: not every package shows its own. */
const versions = z
  .object({ devDependencies: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "../../package.json"), "utf8"))).devDependencies;
const say = (line = "") => process.stdout.write(`${line}\n`);
const round = (value: number, digits = 2) => value.toFixed(digits);
const thousands = (value: number) => Math.round(value).toLocaleString("en-GB");
const spread = (values: readonly number[], unit: string) =>
  `p50 ${round(median(values))} ${unit}, p95 ${round(percentile(values, 0.95))} ${unit}`;

/**
 * Runs all parts one after the other and prints medians, p95 and ratios with machine and versions. Leaves nothing
 * running and no file behind.
 *
 * @throws Error when something could not be measured, a plan has a sequential scan, or a lane is woken more than once
 * by one transaction. A missed target of speed is printed, not thrown: it depends on the machine.
 */
export async function benchDatabase(): Promise<void> {
  const machine = await describeMachine();
  const load = await lookAtLoad();
  say(
    `machine    ${machine.cores} × ${machine.processor}, ${round(machine.memoryBytes / 2 ** 30, 1)} GiB, ${machine.system}`,
  );
  say(
    `versions   Postgres ${machine.postgres}, Node ${machine.node}, graphile-worker ${versions["graphile-worker"]}, postgres.js ${versions.postgres}`,
  );
  say(`commit     ${machine.commit}${machine.changedFiles ? `, ${machine.changedFiles} files changed` : ""}`);
  say(
    `load       ${round(load.busy * 100, 0)} % busy before the start, average ${load.average.map((value) => round(value, 1)).join(" ")}`,
  );
  const server = await startBenchServer();
  try {
    say(
      "\nQueues: 10,000 jobs that do nothing, claim to finish, jobs per second, median of 3 rounds in turns",
    );
    const queues = await benchQueues(server);
    for (const { name, workers, jobsPerSecond } of queues.throughput) {
      const [low, high] = [Math.min(...jobsPerSecond), Math.max(...jobsPerSecond)];
      say(
        `  ${workers} worker${workers === 1 ? " " : "s"}  ${name.padEnd(56)} ${thousands(median(jobsPerSecond)).padStart(7)}/s  (${thousands(low)} to ${thousands(high)})`,
      );
    }
    for (const workers of [1, 4]) {
      say(
        `  ratio of the fastest ways at ${workers}: ${round(ratioToPeer(queues, workers))} × graphile-worker`,
      );
    }
    for (const { name, ms } of queues.latency)
      say(`  ${name.padEnd(36)} ${spread(ms, "ms")} from claim to claim`);
    const [mine, theirs] = queues.latency;
    if (mine && theirs)
      say(
        `  ratio one at a time: ${round(median(theirs.ms) / median(mine.ms))} × as fast as graphile-worker`,
      );

    const triggers = await benchTriggers(server);
    say("\nTriggers: one update of a call, µs from the client, commits asynchronous");
    const extra = (values: number[]) => `${round(median(values) - median(triggers.plainUpdate), 0)} µs more`;
    say(`  without the guard                    ${spread(triggers.plainUpdate, "µs")}`);
    say(
      `  with it, no wish                     ${spread(triggers.guardedUpdate, "µs")}: ${extra(triggers.guardedUpdate)}`,
    );
    say(
      `  a wish to start (recording and job)  ${spread(triggers.startWish, "µs")}: ${extra(triggers.startWish)}`,
    );
    say(
      `  a wish to stop a waiting one         ${spread(triggers.stopWish, "µs")}: ${extra(triggers.stopWish)}`,
    );

    const wakeUps = await benchWakeUps(server);
    say(
      `\nWake-ups: one transaction changed ${thousands(wakeUps.calls)} calls in ${round(wakeUps.transactionMs, 0)} ms and sent`,
    );
    say(`  ${JSON.stringify(wakeUps.wakeUpsByFunction)} for ${JSON.stringify(wakeUps.jobsByLane)} jobs`);

    const { past, without, withPast } = await benchStarts(server);
    say(`\nStarts: one at a time, without a past and with ${thousands(past)} recordings that are over`);
    for (const [name, before, after] of [
      ["the first claim of a session", without.firstClaim, withPast.firstClaim],
      ["claims after it", without.claim, withPast.claim],
      ["wish, claim, attempt, acquired", without.whole, withPast.whole],
    ] as const) {
      const ratio = round(median(after) / median(before));
      say(`  ${name.padEnd(34)} ${spread(before, "ms")}; ${spread(after, "ms")}: ${ratio} ×`);
    }

    const feeds = await benchFeeds(server);
    say(
      `\nFeeds: ${thousands(feeds.rows)} recordings of 10,000 mentorships, built in ${round(feeds.buildSeconds, 0)} s; row level security on`,
    );
    for (const { name, first, again, rowsSeen, plan } of feeds.feeds) {
      const met = percentile(first, 0.95) < FEED_TARGET_MS ? "met" : "MISSED";
      say(`  ${name}, ${rowsSeen} rows; p95 under ${FEED_TARGET_MS} ms: ${met}`);
      say(`    first look ${spread(first, "ms")}; again ${spread(again, "ms")}`);
      say(`    ${plan.join(" < ")}`);
    }
  } finally {
    await server.stop();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await benchDatabase();
