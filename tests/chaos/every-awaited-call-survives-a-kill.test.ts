import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { useStack } from "../integration/stack-under-test.ts";
import { readAwaitedCalls } from "./call-sites.ts";
import { type KillPoint, nameOf, trapCalls, trapDrain } from "./kill-points.ts";
import { endsAsTold, killOnce, leaveNothing } from "./kill-round.ts";
import { openFunctionsRelay, type Platform, startPlatform } from "./platform.ts";
import { type RecordingProxy, startRecordingProxy } from "./recording-proxy.ts";
import { seededRandom } from "./seeded-random.ts";
import { type Story, stories } from "./stories.ts";
import { createWorld, hookOf, type Scene, type World } from "./world.ts";

/**
 * `CHAOS=full`: every request of every story; `CHAOS=1`: every awaited call once before and once after; otherwise every
 * awaited call once, before or after it as the seed says.
 */
const { CHAOS: order } = process.env;
/** The same moments again: CHAOS_SEED=<the seed that was printed>. */
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 2 ** 31);
const random = seededRandom(seed);
/** Both sides of a call, or one of them. */
const sidesOf = (): KillPoint["when"][] =>
  order === undefined ? [random() < 0.5 ? "before" : "after"] : ["before", "after"];
/** Channels that die together; what two cores carry beside a kill. */
const channelsPerKill = Number(process.env.CHAOS_CHANNELS ?? 17);
/** Where two things happen side by side a story may come by without a moment: then another story, or the same once more. */
const mostTries = 6;

const relay = await openFunctionsRelay();
const under = useStack({
  partSettings: {
    gateway: { functionsUrl: relay.url },
    agora: {
      media: "prepared",
      joinMs: 300,
      exitMs: 200,
      sliceSeconds: 1,
      requestsPerSecond: 1_000,
      maxConcurrentTasks: 200,
    },
  },
});
/** The engine's rate and ceiling are other tests' subject, and so are limits of time: here they only end what hangs. */
const settings = {
  requests_per_second: 500,
  concurrent_tasks: 200,
  longest_control_call: 900,
  control_lease: 1_000,
  // How long an engine that named no file is waited for.
  usual_upload_limit: 20,
};

const { sites, unknown } = readAwaitedCalls();
let proxy: RecordingProxy;
let platform: Platform;
let world: World;
const clockStopped = new AbortController();
let clock: Promise<void>;
/** What run-control has written since it was looked at last, one JSON text per step. */
const log: string[] = [];

beforeAll(async () => {
  const { stack, sql, people } = under;
  const { agora: engine = "", b2: bucket = "" } = stack.addresses;
  proxy = await startRecordingProxy({ gateway: stack.url, engine, bucket }, sites);
  const ours = { SUPABASE_URL: proxy.url, AGORA_API_URLS: proxy.url, BACKBLAZE_B2_ENDPOINT: proxy.url };
  platform = await startPlatform(stack, relay, ours, (line) => log.push(line));
  for (const [name, value] of Object.entries(settings)) {
    await sql`update recorder.settings set value = ${value} where name = ${name}`;
  }
  // The test's own clock sweeps.
  await sql.begin(async (transaction) => {
    await transaction`set local role postgres`;
    await transaction`select cron.unschedule('recorder-sweep')`;
  });
  const { mentor, mentorshipId } = await people.pair();
  world = createWorld(under, mentorshipId, () => mentor.client);
  proxy.hooks.before = hookOf(world);
  await platform.resume();
  clock = runFaster();
}, 240_000);

afterAll(async () => {
  clockStopped.abort();
  await clock;
  await platform?.close();
  await proxy?.close();
  await relay.close();
});

/** What went wrong with the clock; without it nothing comes to an end. */
const clockErrors: unknown[] = [];

/** A clock that runs faster: whatever waits for a later moment is due, and the sweep comes by all the time. */
async function runFaster(): Promise<void> {
  while (!clockStopped.signal.aborted) {
    await world.tick().catch((error: unknown) => clockErrors.push(error));
    await pause(250, undefined, { signal: clockStopped.signal }).catch(() => undefined);
  }
}

/** The awaited calls that each story comes by, in their order, found by one undisturbed run of all of them. */
const stepsOf = new Map<Story, { step: string; afterMs: number }[]>(stories.map((story) => [story, []]));

test("every awaited expression of the handlers is understood", () => {
  expect(unknown).toEqual([]);
  expect(sites.length).toBeGreaterThan(20);
});

test("undisturbed, every story ends as told, and together they meet every awaited call", async () => {
  const scenes = await world.scenes(stories.length);
  await Promise.all(
    stories.map(async (story, index) => {
      const scene = scenes[index] as Scene;
      await story.prepare?.(scene, world);
      const from = proxy.seen.length;
      const since = Date.now();
      await story.act(scene, world);
      await endsAsTold(story, scene, world);
      const met = proxy.seen.slice(from).filter(({ channel }) => channel === scene.channel);
      stepsOf.set(
        story,
        met.map(({ site, at }) => ({ step: site ?? "", afterMs: at - since })),
      );
      // The stop of what still runs is no part of the story.
      await leaveNothing(story, scene, world);
    }),
  );
  const met = new Set(proxy.seen.map(({ site }) => site ?? ""));
  expect(sites.map(({ name }) => name).filter((name) => !met.has(name))).toEqual([]);
  // A request that no call was found for would be one that the list above overlooks.
  expect([...met].filter((name) => !sites.some((site) => site.name === name))).toEqual([]);
  expect(await under.engine.allTasks()).toEqual([]);
}, 600_000);

/** A moment to die at, and other stories that come by it too, in case this one does not in time. */
interface Moment {
  point: KillPoint;
  others: KillPoint[];
}

/** Every moment in the handlers; without CHAOS=full one for each awaited call, in the plainest story that comes by it. */
function momentsOfHandlers(): Moment[] {
  const visits = [...stepsOf].flatMap(([story, steps]) =>
    steps.map(({ step, afterMs }, index) => ({
      story,
      step,
      occurrence: steps.slice(0, index + 1).filter((other) => other.step === step).length,
      afterMs,
    })),
  );
  // What a story came by because two things happened side by side, it may never come by again: another one then stands in for it.
  const chosen =
    order === "full"
      ? visits.map((visit) => [visit, ...visits.filter(({ step }) => step === visit.step)])
      : sites.map(({ name }) => visits.filter(({ step }) => step === name));
  return chosen.flatMap(([visit, ...more]) =>
    visit === undefined
      ? []
      : sidesOf().map((when) => ({
          point: { ...visit, when },
          others: more.map((other) => ({ ...other, when })),
        })),
  );
}

/** Rounds for the drain's own request: one per verb and side, for all stories after which work of a kind is due at once. */
function roundsOfDrain(): Moment[][] {
  return ["claim", "finish"].flatMap((verb) =>
    sidesOf().map((when) =>
      stories.flatMap((story) =>
        story.asksFor === undefined
          ? []
          : {
              point: { story, step: `${verb} ${story.asksFor}`, occurrence: 1, when, afterMs: 0 },
              others: [],
            },
      ),
    ),
  );
}

/** Kills until every moment was met; gives what did not end as told. */
async function killAtAll(
  rounds: Moment[][],
  makeTrap: Parameters<typeof killOnce>[1]["makeTrap"],
  { isAlone = false } = {},
): Promise<string[]> {
  const tries = new Map<Moment, number>();
  const never: string[] = [];
  const failures: Promise<string[]>[] = [];
  for (let round = rounds.shift(); round !== undefined; round = rounds.shift()) {
    const since = performance.now();
    const points = round.map((moment) => {
      const all = [moment.point, ...moment.others];
      return all[(tries.get(moment) ?? 0) % all.length] ?? moment.point;
    });
    const { hit, failures: told } = await killOnce(points, { world, makeTrap, platform, proxy });
    failures.push(told);
    // What is being closed would come between where one request concerns all.
    if (isAlone) await told;
    console.log(
      `${hit.size} of ${points.length} channels killed at their moment, all where they should be after ${Math.round(performance.now() - since)} ms`,
    );
    const late = round.filter((_moment, index) => !hit.has(points[index] as KillPoint));
    for (const point of points.filter((candidate) => !hit.has(candidate)))
      console.log(`late: ${nameOf(point)}`);
    for (const moment of late) tries.set(moment, (tries.get(moment) ?? 0) + 1);
    never.push(
      ...late
        .filter((moment) => (tries.get(moment) ?? 0) >= mostTries)
        .map(({ point }) => `${nameOf(point)}: never came to this moment`),
    );
    const again = late.filter((moment) => (tries.get(moment) ?? 0) < mostTries);
    if (again.length > 0) rounds.push(again);
  }
  return [...never, ...(await Promise.all(failures)).flat()];
}

test(`killed before or after any of them, every channel ends as its wishes say, and nothing is left over (seed ${seed})`, async () => {
  const moments = momentsOfHandlers();
  const names = new Set(moments.map(({ point }) => point.step));
  expect(sites.map(({ name }) => name).filter((name) => !names.has(name))).toEqual([]);
  moments.sort((a, b) => a.point.afterMs - b.point.afterMs);
  const rounds = Array.from({ length: Math.ceil(moments.length / channelsPerKill) }, (_, index) =>
    moments.slice(index * channelsPerKill, (index + 1) * channelsPerKill),
  );
  expect(await killAtAll(rounds, (cast) => trapCalls(cast, proxy, world))).toEqual([]);
  expect(await under.engine.allTasks()).toEqual([]);
}, 1_800_000);

test("the same where work of every kind was claimed and not begun, or done and not told", async () => {
  const rounds = roundsOfDrain();
  const kinds = await under.sql<
    { kind: string }[]
  >`select kind from recorder.job_kinds where lane = 'control' order by kind`;
  const covered = new Set(rounds.flat().map(({ point }) => point.step.split(" ")[1]));
  expect([...covered].sort()).toEqual(kinds.map(({ kind }) => kind));
  const makeTrap = (cast: Map<string, KillPoint>) => {
    log.length = 0;
    return trapDrain(cast, proxy, world, hasTold);
  };
  expect(await killAtAll(rounds, makeTrap, { isAlone: true })).toEqual([]);
  expect(await under.engine.allTasks()).toEqual([]);
  expect(clockErrors).toEqual([]);
}, 900_000);

/** Whether run-control has logged the end of a job of this kind and channel. */
async function hasTold(channel: string, kind: string): Promise<boolean> {
  const [row] = await under.sql<{ id: string }[]>`
    select id from public.recordings where channel = ${channel} order by created_at desc limit 1`;
  return log.some(
    (line) =>
      line.includes(`"step":"job"`) && line.includes(`"kind":"${kind}"`) && line.includes(row?.id ?? "-"),
  );
}
