import { setTimeout as pause } from "node:timers/promises";
import type { KillPoint, Trap } from "./kill-points.ts";
import { nameOf } from "./kill-points.ts";
import type { Platform } from "./platform.ts";
import type { RecordingProxy } from "./recording-proxy.ts";
import type { Story } from "./stories.ts";
import type { Scene, World } from "./world.ts";

/** Limits and no measures: whoever waits for a condition ends with it, however slow the machine is. */
const comeMs = 120_000;
const settleMs = 150_000;
/** Closing goes on beside the next kills, which cost it their time. */
const closeMs = 240_000;
const lookMs = 20;
/** Whether somebody can still come is asked less often: it costs the machine more. */
const looksBetween = 12;
/** How much faster deadlines pass than in real life, once everybody has done their part. */
const timesFaster = 10;
/** So much real time counts for one look at most: where looks are slow, so is everything that the passing time is for. */
const longestLookMs = 100;

/** What became of one round. */
export interface RoundResult {
  /** Died where they should; the others came late, and died somewhere else. */
  hit: Set<KillPoint>;
  /** Resolves when all is stopped and gone, with what did not end as it should, each with what was seen instead. */
  failures: Promise<string[]>;
}

/**
 * One kill for several channels: each story runs until its request stands at its moment, then the process gets SIGKILL, a fresh
 * one takes its place, and every channel has to come to where its story ends. Resolves then; what still runs is stopped
 * beside what comes next.
 */
export async function killOnce(
  points: readonly KillPoint[],
  parts: {
    world: World;
    makeTrap: (cast: Map<string, KillPoint>) => Trap;
    platform: Platform;
    proxy: Pick<RecordingProxy, "isUnderWay">;
  },
): Promise<RoundResult> {
  const { world, makeTrap, platform, proxy } = parts;
  const { sql } = world.under;
  const scenes = await world.scenes(points.length);
  const cast = points.map((point, index) => ({ point, scene: scenes[index] as Scene }));
  const failures: string[] = [];
  const isFailed = new Set<KillPoint>();
  const noting = async (point: KillPoint, work: Promise<unknown> | undefined) => {
    try {
      await work;
    } catch (error) {
      isFailed.add(point);
      failures.push(`${nameOf(point)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };

  await Promise.all(cast.map(({ point, scene }) => noting(point, point.story.prepare?.(scene, world))));
  const trap = makeTrap(new Map(cast.map(({ point, scene }) => [scene.channel, point])));
  await trap.isSet;
  // Who needs longer begins earlier, so that all are there at about the same time.
  const longestMs = Math.max(...points.map(({ afterMs }) => afterMs));
  const hasActed = new Set<KillPoint>();
  const acts = cast.map(async ({ point, scene }) => {
    await pause(longestMs - point.afterMs);
    await noting(point, point.story.act(scene, world));
    hasActed.add(point);
  });
  const isToCome = async ({ point, scene }: (typeof cast)[number]) =>
    !trap.isHit(scene.channel) && !(hasActed.has(point) && (await isPast(point.story, scene, world)));
  const limit = Date.now() + comeMs;
  for (let looks = 1; !trap.isFull() && Date.now() < limit; looks += 1) {
    if (looks % looksBetween === 0 && !(await Promise.all(cast.map(isToCome))).includes(true)) break;
    await pause(lookMs);
  }

  await platform.kill();
  trap.open();
  // What the dead one had asked for is still done, and claimed in its name.
  await world.until("no backend is at work any more", async () => !proxy.isUnderWay());
  // In real life a minute and ten seconds pass until what a dead worker held is free again.
  await sql`update recorder.jobs set leased_until = now() - interval '1 second' where state = 'running' and lane = 'control'`;
  await sql`update recorder.drains set leased_until = '-infinity' where lane = 'control'`;
  await platform.resume();
  await world.sweep();
  await Promise.all(acts);
  await Promise.all(cast.map(({ point, scene }) => noting(point, endsAsTold(point.story, scene, world))));
  const closing = cast
    .filter(({ point }) => !isFailed.has(point))
    .map(({ point, scene }) => noting(point, leaveNothing(point.story, scene, world)));
  return {
    hit: new Set(cast.filter(({ scene }) => trap.isHit(scene.channel)).map(({ point }) => point)),
    failures: Promise.all(closing).then(() => failures),
  };
}

/** Waits until the engine, asked itself, holds what the story says. */
export async function endsAsTold(story: Story, scene: Scene, world: World): Promise<void> {
  let lookedAt = Date.now();
  const look = async (seen: Seen) => {
    const isThere = isAsTold(story, seen);
    const now = Date.now();
    const passedMs = Math.min(now - lookedAt, longestLookMs);
    if (!isThere) await world.age(scene, (passedMs / 1000) * timesFaster);
    lookedAt = now;
    return isThere;
  };
  await until(`the story is ${story.ends}`, scene, world, look, settleMs);
}

function isAsTold(story: Story, { status, running, known }: Seen): boolean {
  return story.ends === "recording"
    ? status === "recording" && running === 1 && known === 1
    : ["processing", "recorded", "failed"].includes(status) && running === 0;
}

/** Whether a story that has been acted is told to its end, and nobody has work to do for it any more: it came by no moment. */
async function isPast(story: Story, scene: Scene, world: World): Promise<boolean> {
  const open = await world.under.sql`
    select from recorder.jobs j join public.recordings r on r.id = j.recording_id
    where r.channel = ${scene.channel} and j.lane = 'control' and j.state in ('queued', 'running') limit 1`;
  return open.length === 0 && isAsTold(story, await seenOf(scene, world));
}

/** Stops what still runs, and waits until nothing is left of it, at the engine and in our rows. */
export async function leaveNothing(story: Story, scene: Scene, world: World): Promise<void> {
  const { sql } = world.under;
  if (story.ends === "recording") await world.wish(scene, "stopping");
  await until(
    "nothing is left of it at the engine",
    scene,
    world,
    ({ status, known }) => ["recorded", "failed"].includes(status) && known === 0,
  );
  await until("no row of it is open", scene, world, async () => {
    // One whose start was lost for good is given up when its token has ended.
    await world.age(scene, 100_000);
    const [row] = await sql<{ open: number }[]>`
      select (
        (select count(*) from recorder.jobs j join public.recordings r on r.id = j.recording_id
         where r.channel = ${scene.channel} and j.state <> 'done')
        + (select count(*) from recorder.engine_tasks t where t.channel = ${scene.channel} and t.state <> 'gone')
        + (select count(*) from recorder.inbox i join recorder.engine_tasks t on t.id = i.engine_task_id
           where t.channel = ${scene.channel} and i.applied_at is null))::int as open`;
    return row?.open === 0;
  });
  await until("the engine holds nothing", scene, world, ({ known }) => known === 0);
}

interface Seen {
  status: string;
  /** Tasks of the channel that record or are about to, and all that the engine still knows. */
  running: number;
  known: number;
  /** The same in words. */
  text: string;
}

async function seenOf(scene: Scene, world: World): Promise<Seen> {
  const [status, tasks] = await Promise.all([world.statusOf(scene), world.under.engine.tasks(scene.channel)]);
  return {
    status: status ?? "",
    running: tasks.filter((task) => task.status <= 5).length,
    known: tasks.length,
    text: `${status}, at the engine: ${tasks.map((task) => `status ${task.status}`).join(", ") || "nothing"}`,
  };
}

async function until(
  what: string,
  scene: Scene,
  world: World,
  isThere: (seen: Seen) => boolean | Promise<boolean>,
  limitMs = closeMs,
): Promise<void> {
  let text = "";
  const ask = async () => {
    const seen = await seenOf(scene, world);
    text = seen.text;
    return await isThere(seen);
  };
  await world.until(what, ask, limitMs).catch(async () => {
    throw new Error(`waited in vain until ${what}; seen: ${text}; ${await rowsOf(scene, world)}`);
  });
}

/** What our tables say about a scene, for whoever has to find out why it did not end. */
async function rowsOf({ channel }: Scene, { under: { sql } }: World): Promise<string> {
  const jobs = await sql`
    select j.kind, j.state, j.attempts, j.last_error ->> 'detail' as error from recorder.jobs j
    join public.recordings r on r.id = j.recording_id where r.channel = ${channel} order by j.id`;
  const tasks = await sql`
    select attempt, state, superseded, sid is not null as has_sid from recorder.engine_tasks where channel = ${channel} order by attempt`;
  const recordings =
    await sql`select status, phase, error ->> 'code' as error from public.recordings where channel = ${channel}`;
  const inbox = await sql`
    select i.event_type, i.received_at, i.applied_at is not null as is_applied from recorder.inbox i
    join recorder.engine_tasks t on t.id = i.engine_task_id where t.channel = ${channel} order by i.received_at`;
  return JSON.stringify({ recordings, tasks, jobs, inbox });
}
