import { setTimeout as pause } from "node:timers/promises";
import { monotonicMs } from "../clock.ts";
import type { Figure } from "../figures.ts";
import type { Observation } from "../observations.ts";
import { type ObservedStack, startObservedStack } from "../observed-stack.ts";
import type { Suite, SuiteOrder } from "../suite.ts";
import { answeredWith, readEngineLog } from "./engine-log.ts";
import { type Calls, openCalls, type Step } from "./hundred-calls.ts";

const many = 100;
const single = 20;
/** The engine's own: what its rate allows, and what its stand-in takes to join. */
const requestsPerSecond = 10;
const requestsPerStart = 2;
const joinMs = 1_200;
/** Slow enough that stops wait for nobody: what is measured is a stop, not a queue of them. */
const stopsPerSecond = 4;
/** Each place that comes free costs three requests: so many that the starts that follow keep up. */
const placesPerSecond = 2;
const limitMs = 180_000;

/** What the engine saw of the functions: its own requests, in ms since 1970. */
interface Seen {
  call: "acquire" | "start" | "query" | "stop";
  resourceId: string | undefined;
  atMs: number;
}

/** A hundred calls that start at once, at a ceiling that lets them and at one that lets half of them. */
export const engine: Suite = async (order) => [
  ...(await atCeiling(200, order, async (calls, stack) => {
    order.say(`engine: ${single} starts, one after the other`);
    const alone = await oneByOne(calls, order);
    order.say(`engine: ${many} starts at once, at a ceiling of 200`);
    const together = await allAtOnce(calls);
    return async (seen) => [
      ...(await ownShare(alone, seen, stack)),
      ...(await hundredFigures(together, seen, stack, alone.ids.length)),
    ];
  })),
  ...(await atCeiling(50, order, async (calls, stack) => {
    order.say(`engine: ${many} starts at once, at a ceiling of 50`);
    const queue = await halfWaits(calls, order);
    return async () => await queueFigures(queue, stack);
  })),
];

/** Runs on a stack of its own whose engine and database have this ceiling; figures are made when it has stopped. */
async function atCeiling(
  ceiling: number,
  { signal }: SuiteOrder,
  measure: (calls: Calls, stack: ObservedStack) => Promise<(seen: Seen[]) => Promise<Figure[]>>,
): Promise<Figure[]> {
  const stack = await startObservedStack(signal, {
    agora: { media: "prepared", maxConcurrentTasks: ceiling, requestsPerSecond },
  });
  try {
    const calls = openCalls(stack, signal);
    // One clock for the database, which tells the time of day, and the observers, which tell the machine's own.
    const offsetMs = Date.now() - monotonicMs();
    let figuresOf: (seen: Seen[]) => Promise<Figure[]>;
    try {
      await calls.sql`update recorder.settings set value = ${ceiling} where name = 'concurrent_tasks'`;
      figuresOf = await measure(calls, stack);
    } finally {
      await calls.end();
    }
    await stack.stop();
    return await figuresOf((await stack.observations()).flatMap((seen) => requestOf(seen, offsetMs)));
  } finally {
    await stack.remove();
  }
}

function requestOf({ part, kind, path, atMs }: Observation, offsetMs: number): Seen[] {
  const call = /\/cloud_recording\/(?:.*\/)?(acquire|start|query|stop)$/.exec(path)?.[1];
  if (part !== "agora" || kind !== "received" || call === undefined) return [];
  const resourceId = /\/resourceid\/([^/]+)\//.exec(path)?.[1];
  return [{ call: call as Seen["call"], resourceId, atMs: atMs + offsetMs }];
}

// One after the other -----------------------------------------------------------------------------------------------

interface Alone {
  ids: string[];
  wishedAt: Map<string, number>;
  steps: Step[];
}

/** Starts and stops single calls on an idle lane: nobody waits for a slot or a place. */
async function oneByOne(calls: Calls, { signal }: SuiteOrder): Promise<Alone> {
  const ids = await calls.make(single);
  const wishedAt = new Map<string, number>();
  for (const id of ids) {
    // Until the drain has gone and pg_net has rested.
    await pause(2_500 + Math.random() * 500, undefined, { signal });
    wishedAt.set(id, (await calls.wish(id, "starting")).wishedAt);
    await calls.until([id], ["recording"], 1, limitMs);
    await pause(500, undefined, { signal });
    await calls.wish(id, "stopping");
    await calls.until([id], ["recorded"], 1, limitMs);
  }
  return { ids, wishedAt, steps: await calls.steps(ids) };
}

async function ownShare(
  { ids, wishedAt, steps }: Alone,
  seen: Seen[],
  stack: ObservedStack,
): Promise<Figure[]> {
  // Answered one after the other, as they were asked.
  const acquires = (await readEngineLog(stack.dataDir)).filter(({ call }) => call === "acquire");
  const toStart = ids.map((id) => {
    const resourceId = steps.find((step) => step.call_id === id)?.resource_id;
    const start = seen.find((request) => request.call === "start" && request.resourceId === resourceId);
    return (start?.atMs ?? Number.NaN) - (wishedAt.get(id) ?? Number.NaN);
  });
  const name = "our own share of a start";
  return [
    {
      name,
      unit: "ms",
      values: toStart.map((ms, index) => ms - (acquires[index]?.ms ?? Number.NaN)),
      target: { of: "median", below: 60 },
      note: "from just before the wish leaves the client until the engine's server has read the head of start, without the engine's answer to acquire; one call at a time, so nobody waits for a slot",
    },
    { name: "wish to start", unit: "ms", values: toStart, partOf: name },
    {
      name: "of it the engine's acquire",
      unit: "ms",
      values: acquires.slice(0, ids.length).map(({ ms }) => ms),
      partOf: name,
    },
    {
      name: "stop to the engine's confirmation, one at a time",
      unit: "ms",
      values: stopsOf(steps),
      target: { of: "p95", below: 5_000 },
      note: "from the transaction with the wish to that with the engine's answer, by the database's clock",
    },
  ];
}

// All at once ---------------------------------------------------------------------------------------------------------

interface Together {
  wishes: { wishedAt: number; answeredAt: number }[];
  steps: Step[];
}

async function allAtOnce(calls: Calls): Promise<Together> {
  const ids = await calls.make(many);
  const wishes = await Promise.all(calls.wishAll(ids, "starting", Number.POSITIVE_INFINITY));
  await calls.until(ids, ["recording"], many, limitMs);
  await Promise.all(calls.wishAll(ids, "stopping", stopsPerSecond));
  await calls.until(ids, ["recorded"], many, limitMs);
  return { wishes, steps: await calls.steps(ids) };
}

async function hundredFigures(
  { wishes, steps }: Together,
  seen: Seen[],
  stack: ObservedStack,
  before: number,
): Promise<Figure[]> {
  const firstWish = Math.min(...wishes.map(({ wishedAt }) => wishedAt));
  const confirmed = timesOf(steps, "engine.confirmed");
  const resources = new Set(steps.map(({ resource_id }) => resource_id));
  const starts = seen.filter(({ call, resourceId }) => call === "start" && resources.has(resourceId ?? ""));
  const acquires = seen.filter(({ call }) => call === "acquire").slice(before);
  const asked = [...acquires, ...starts].map(({ atMs }) => atMs).sort((a, b) => a - b);
  const idealMs = (many * requestsPerStart * 1000) / requestsPerSecond;
  const all = "100 wishes at once, ceiling 200: wish to recording";
  return [
    {
      name: "100 wishes at once: wish to its answer",
      unit: "ms",
      values: wishes.map(({ wishedAt, answeredAt }) => answeredAt - wishedAt),
    },
    {
      name: all,
      unit: "ms",
      values: confirmed.map((at) => at - firstWish),
      target: { of: "max", below: idealMs / 0.9 + joinMs + 1_000 },
      note: `since the first wish. 200 requests at 10 a second take ${idealMs / 1000} s; the limit is nine tenths of that rate, the ${joinMs / 1000} s that the engine's stand-in takes to join, and one second`,
    },
    {
      name: "requests a second, first to last",
      unit: "per s",
      values: [((asked.length - 1) * 1000) / ((asked.at(-1) ?? 0) - (asked[0] ?? 0))],
      target: { of: "min", atLeast: 0.9 * requestsPerSecond },
      note: "acquire and start as the engine's server read them; it allows 10 a second",
      partOf: all,
    },
    {
      name: "most requests in any one second",
      unit: "count",
      values: [
        mostWithin(
          seen.map(({ atMs }) => atMs).sort((a, b) => a - b),
          1_000,
        ),
      ],
      note: "of all kinds, queries and stops too",
      partOf: all,
    },
    {
      name: "answers 429",
      unit: "count",
      values: [answeredWith(await readEngineLog(stack.dataDir), 429)],
      target: { of: "max", below: 1 },
      partOf: all,
    },
    {
      name: "stop to the engine's confirmation, four a second",
      unit: "ms",
      values: stopsOf(steps),
      target: { of: "p95", below: 5_000 },
    },
  ];
}

// Half of them wait -----------------------------------------------------------------------------------------------------

interface Queue {
  steps: Step[];
  places: number[];
  firstHalfMs: number[];
}

async function halfWaits(calls: Calls, { signal }: SuiteOrder): Promise<Queue> {
  const ceiling = many / 2;
  const ids = await calls.make(many);
  const since = Date.now();
  await Promise.all(calls.wishAll(ids, "starting", Number.POSITIVE_INFINITY));
  await calls.until(ids, ["recording"], ceiling, limitMs);
  // Places are numbered at most once a second.
  await pause(1_500, undefined, { signal });
  const rows = await calls.sql<{ id: string; status: string; place: number | null }[]>`
    select id, recording_status as status, recording_queue_place as place
    from public.video_calls where id = any (${ids})`;
  const places = rows.flatMap(({ place }) => (place === null ? [] : [place]));
  const first = rows.filter(({ status }) => status === "recording").map(({ id }) => id);
  const others = ids.filter((id) => !first.includes(id));
  await Promise.all(calls.wishAll(first, "stopping", placesPerSecond));
  await calls.until(others, ["recording"], others.length, limitMs);
  await Promise.all(calls.wishAll(others, "stopping", stopsPerSecond));
  await calls.until(ids, ["recorded"], many, limitMs);
  const steps = await calls.steps(ids);
  const firstHalfMs = timesOf(
    steps.filter(({ call_id }) => first.includes(call_id)),
    "engine.confirmed",
  ).map((at) => at - since);
  return { steps, places, firstHalfMs };
}

async function queueFigures({ steps, places, firstHalfMs }: Queue, stack: ObservedStack): Promise<Figure[]> {
  const log = await readEngineLog(stack.dataDir);
  const gone = timesOf(steps, "engine.gone").slice(0, many / 2);
  const requested = timesOf(steps, "engine.requested").slice(many / 2);
  const name = "a place comes free to the next start, ceiling 50";
  return [
    {
      name: "100 wishes at once, ceiling 50: wish to recording, first half",
      unit: "ms",
      values: firstHalfMs,
    },
    {
      name: "places in the queue that the others see",
      unit: "count",
      values: [new Set(places).size],
      target: { of: "min", atLeast: many / 2 },
      note: "different numbers of recording_queue_place while the first half records",
    },
    {
      name,
      unit: "ms",
      values: requested.map((at, index) => at - (gone[index] ?? Number.NaN)),
      note: "from the engine's confirmation of the n-th stop to the n-th waiting start, by the database's clock: it takes in acquire and its slot",
    },
    {
      name: "answers 400: the engine's own ceiling (406)",
      unit: "count",
      values: [answeredWith(log, 400)],
      partOf: name,
    },
    {
      name: "answers 429",
      unit: "count",
      values: [answeredWith(log, 429)],
      target: { of: "max", below: 1 },
      partOf: name,
    },
  ];
}

function timesOf(steps: readonly Step[], event: string): number[] {
  return steps.filter((step) => step.event === event).map(({ at_ms }) => at_ms);
}

/** From each wish to stop to the engine's word that it is gone. */
function stopsOf(steps: readonly Step[]): number[] {
  return steps.flatMap((step) => {
    if (step.event !== "recording.stop_requested") return [];
    const gone = steps.find(({ call_id, event }) => call_id === step.call_id && event === "engine.gone");
    return gone === undefined ? [] : [gone.at_ms - step.at_ms];
  });
}

function mostWithin(sorted: readonly number[], ms: number): number {
  let from = 0;
  return sorted.reduce((most, at, index) => {
    while ((sorted[from] ?? at) <= at - ms) from += 1;
    return Math.max(most, index - from + 1);
  }, 0);
}
