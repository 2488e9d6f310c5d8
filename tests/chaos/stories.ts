import type { Exchange } from "./recording-proxy.ts";
import type { Scene, World } from "./world.ts";

/** One way through a handler. What is told after `prepare` happens under a kill. */
export interface Story {
  name: string;
  /** Brings the scene to the moment before, undisturbed. */
  prepare?(scene: Scene, world: World): Promise<void>;
  /** What people, the engine or time do. Ends when that is done; conditions in it hold whether or not a kill comes between. */
  act(scene: Scene, world: World): Promise<void>;
  /** Where it ends: the statuses allowed, and with them what the engine has to hold. */
  ends: "recording" | "over";
  /** The kind of job that is due as soon as it has happened. */
  asksFor?: string;
}

const unauthorized = { status: 401, body: { message: "Invalid authentication credentials" } };
const conflict = { status: 400, body: { code: 53, reason: "task conflict" } };
const alreadyStarted = { status: 201, body: { code: 7, reason: "already started" } };
const noWorker = { status: 500, body: { code: 502, reason: "Failed to allocate worker" } };
const timeOut = { status: 500, body: { code: 62, reason: "request timeout" } };
const notFound = { status: 404, body: { code: 404, reason: "failed to find worker" } };
const badBody = { status: 400, body: { code: 2, reason: "post method api body check failed!" } };

const start = (scene: Scene, world: World) => world.wish(scene, "starting");

async function untilRecording(scene: Scene, world: World): Promise<void> {
  await start(scene, world);
  await world.until("the recorder is there", async () => (await world.statusOf(scene)) === "recording");
  await world.until("its work is done", () => hasNoOpenJob(scene, world));
}

async function hasNoOpenJob({ channel }: Scene, { under: { sql } }: World, kind = ""): Promise<boolean> {
  const found = await sql`
    select from recorder.jobs j join public.recordings r on r.id = j.recording_id
    where r.channel = ${channel} and j.state in ('queued', 'running') and ${kind} in ('', j.kind) limit 1`;
  return found.length === 0;
}

/** The engine has told that the first slice is in the bucket, and that has been taken in. */
async function hasSlices({ channel }: Scene, { under: { sql } }: World): Promise<boolean> {
  const found = await sql`
    select from recorder.inbox i join recorder.engine_tasks t on t.id = i.engine_task_id
    where t.channel = ${channel} and i.event_type = 4 and i.applied_at is not null limit 1`;
  return found.length > 0;
}

/** The recorder has been silent for longer than the limit, so the sweep asks. */
async function becomeSilent(scene: Scene, world: World): Promise<void> {
  const { sql } = world.under;
  await world.until("its silence is noticed", async () => {
    // Again and again: a word of the recorder may come between, and another sweep may be under way.
    await sql`update recorder.engine_tasks set last_seen_at = now() - interval '1 hour' where channel = ${scene.channel} and state = 'running'`;
    await world.sweep();
    const found = await sql`
      select from recorder.jobs j join public.recordings r on r.id = j.recording_id
      where r.channel = ${scene.channel} and j.kind = 'heartbeat' limit 1`;
    return found.length > 0;
  });
  await world.until("it was asked", () => hasNoOpenJob(scene, world));
}

/** Nobody tells us the sid: neither the answer to start nor any event. */
async function loseSid(scene: Scene, world: World): Promise<void> {
  const sent = new Set<string>();
  world.script(scene, "start", async (_exchange, body) => {
    const uid = uidIn(body);
    if (sent.has(uid)) return alreadyStarted;
    sent.add(uid);
    return "lose reply";
  });
  await world.fault(scene, { kind: "drop_webhook", times: 1_000 });
}

/** Time passes until a file of the recorder is worth looking for, and is found. */
async function untilFound(scene: Scene, world: World): Promise<void> {
  await world.until("its files have told its name", async () => {
    await world.age(scene, 1);
    const found = await world.under.sql`
      select from recorder.engine_tasks where channel = ${scene.channel} and sid is not null limit 1`;
    return found.length > 0;
  });
}

async function hasTask(scene: Scene, world: World, condition: "sent" | "gone"): Promise<boolean> {
  const [row] = await world.under.sql<{ sent: boolean; gone: boolean }[]>`
    select bool_or(start_sent_at is not null) as sent, bool_and(state = 'gone') as gone
    from recorder.engine_tasks where channel = ${scene.channel}`;
  return row?.[condition] === true;
}

const isOver = async (scene: Scene, world: World) =>
  ["processing", "recorded", "failed"].includes((await world.statusOf(scene)) ?? "");

/** A scripted answer to the first of a channel's calls only. */
function once(answer: { status: number; body: unknown }) {
  let isUsed = false;
  return async () => {
    if (isUsed) return undefined;
    isUsed = true;
    return answer;
  };
}

/** Whose start it is: each attempt has a uid of its own. */
const uidIn = (body: string): string => /"uid":"(\d+)"/.exec(body)?.[1] ?? "";

/** The body of a query that tells this status, for the task the path names. */
function statusAnswer({ path }: Exchange, status: number) {
  const [, resourceId, sid] = /\/resourceid\/([^/]+)\/sid\/([^/]+)\//.exec(path) ?? [];
  return { status: 200, body: { cname: "c", uid: "1", resourceId, sid, serverResponse: { status } } };
}

/** The plainest first: where one kill for an awaited call has to do, it comes in the first story that meets the call. */
export const stories: Story[] = [
  {
    name: "a start",
    async act(scene, world) {
      await start(scene, world);
      await world.until("there are slices", () => hasSlices(scene, world));
    },
    ends: "recording",
    asksFor: "start",
  },
  {
    name: "a start with credentials that the engine refuses",
    async act(scene, world) {
      world.script(scene, "acquire", async () => unauthorized);
      await start(scene, world);
    },
    ends: "over",
  },
  {
    name: "a stop while the engine is being asked for a recorder",
    async act(scene, world) {
      let isStopped = false;
      world.script(scene, "acquire", async () => {
        if (!isStopped) await world.wish(scene, "stopping");
        isStopped = true;
        return undefined;
      });
      await start(scene, world);
      await world.until("nothing is asked any more", () => hasNoOpenJob(scene, world, "start"));
    },
    ends: "over",
  },
  {
    name: "a start whose recorder is in the channel already",
    async act(scene, world) {
      world.script(scene, "start", once(conflict));
      await start(scene, world);
    },
    ends: "recording",
  },
  {
    name: "a start that the engine refuses",
    async act(scene, world) {
      world.script(scene, "start", async () => badBody);
      await start(scene, world);
    },
    ends: "over",
  },
  {
    name: "a silent recorder",
    prepare: untilRecording,
    act: becomeSilent,
    ends: "recording",
    asksFor: "heartbeat",
  },
  {
    name: "a recorder that is asked after once more",
    prepare: untilRecording,
    async act(scene, world) {
      await world.under.sql`
        select recorder.enqueue('confirm', t.recording_id, t.id)
        from recorder.engine_tasks t where t.channel = ${scene.channel} and t.state = 'running'`;
      await world.until("it was asked", () => hasNoOpenJob(scene, world));
    },
    ends: "recording",
    asksFor: "confirm",
  },
  {
    name: "a silent recorder that is not ready yet",
    prepare: untilRecording,
    async act(scene, world) {
      let isReady = false;
      world.script(scene, "query", async (exchange) => {
        if (isReady) return undefined;
        isReady = true;
        return statusAnswer(exchange, 3);
      });
      await becomeSilent(scene, world);
    },
    ends: "recording",
  },
  {
    name: "a recorder that ended abnormally",
    prepare: untilRecording,
    async act(scene, world) {
      world.script(scene, "query", async (exchange) => {
        await world.fault(scene, { kind: "end_task", reason: "kicked" });
        return statusAnswer(exchange, 20);
      });
      await becomeSilent(scene, world);
    },
    ends: "over",
  },
  {
    name: "a recorder that moves to another server",
    prepare: untilRecording,
    async act(scene, world) {
      world.script(scene, "query", once(notFound));
      await becomeSilent(scene, world);
    },
    ends: "recording",
  },
  {
    name: "a recorder that has begun, but not as it should",
    prepare: untilRecording,
    async act(scene, world) {
      await world.tell(scene, 40, { msgName: "recorder_started", status: 1 });
      await world.until("it was asked", () => hasNoOpenJob(scene, world));
    },
    ends: "recording",
  },
  {
    name: "a start that the engine has no room for at first",
    async prepare(scene, world) {
      world.script(scene, "start", once(noWorker));
      // It is sent again when the story says so, and not seconds after the refusal.
      world.keepWaiting(scene);
      world.script(scene, "report task.unanswered", async (_exchange, body) => ({
        rewritten: body.replace(/"again_after_ms":\d+/, '"again_after_ms":300000'),
      }));
      await start(scene, world);
      await world.until("it is to be sent again", async () => {
        const found = await world.under.sql`
          select from recorder.jobs j join public.recordings r on r.id = j.recording_id
          where r.channel = ${scene.channel} and j.kind = 'start_again' and j.state = 'queued' limit 1`;
        return found.length === 1;
      });
      await world.until("its start is done with", () => hasNoOpenJob(scene, world, "start"));
    },
    act: (scene, world) => world.goOn(scene),
    ends: "recording",
    asksFor: "start_again",
  },
  {
    name: "a start whose answers never come, and no event either",
    async act(scene, world) {
      await loseSid(scene, world);
      await start(scene, world);
      await untilFound(scene, world);
    },
    ends: "recording",
  },
  {
    name: "a start that stays unclear until its attempt is over",
    async act(scene, world) {
      let first: string | undefined;
      world.script(scene, "start", async (_exchange, body) => {
        const uid = uidIn(body);
        first ??= uid;
        return uid === first ? timeOut : undefined;
      });
      await start(scene, world);
      await world.until("nobody sends it again", async () => {
        const found = await world.under.sql`
          select from recorder.jobs j join public.recordings r on r.id = j.recording_id
          where r.channel = ${scene.channel} and j.kind = 'start_again' and j.state = 'done' limit 1`;
        return found.length > 0;
      });
    },
    ends: "recording",
  },
  {
    name: "a stop of a recorder whose name nobody knows",
    async act(scene, world) {
      await loseSid(scene, world);
      await start(scene, world);
      await world.until("it runs", async () => (await world.under.engine.running(scene.channel)).length > 0);
      await world.wish(scene, "stopping");
      await untilFound(scene, world);
    },
    ends: "over",
  },
  {
    name: "a recorder that cannot join",
    async act(scene, world) {
      world.script(scene, "start", async (_exchange, body) => ({
        rewritten: body.replace(/"token":"[^"]+"/, '"token":"007nonsense"'),
      }));
      await start(scene, world);
    },
    ends: "over",
  },
  {
    name: "a recorder that left by itself",
    prepare: untilRecording,
    act: (scene, world) => world.fault(scene, { kind: "end_task", reason: "idle" }),
    ends: "over",
    asksFor: "apply_events",
  },
  {
    name: "a stop",
    prepare: untilRecording,
    act: (scene, world) => world.wish(scene, "stopping"),
    ends: "over",
    asksFor: "stop",
  },
  {
    name: "a stop of a channel in which nobody sends",
    async prepare(scene, world) {
      await world.under.engine.silence(scene.channel);
      await untilRecording(scene, world);
    },
    act: (scene, world) => world.wish(scene, "stopping"),
    ends: "over",
  },
  {
    name: "a stop of a start that never reached the engine",
    async act(scene, world) {
      world.script(scene, "start", async () => "lose");
      await start(scene, world);
      await world.until("start was sent", () => hasTask(scene, world, "sent"));
      await world.wish(scene, "stopping");
      await world.until("the channel is free", async () => {
        await world.age(scene, 10);
        return await isOver(scene, world);
      });
      await world.until("it is given up", async () => {
        await world.age(scene, 86_400);
        return await hasTask(scene, world, "gone");
      });
    },
    ends: "over",
  },
  {
    name: "a stop between two attempts",
    async act(scene, world) {
      let attempts = 0;
      let first: string | undefined;
      // For as long as it is asked: an answer that dies with the worker is given again.
      world.script(scene, "start", async (_exchange, body) => {
        const uid = uidIn(body);
        first ??= uid;
        return uid === first ? conflict : undefined;
      });
      world.script(scene, "acquire", async () => {
        attempts += 1;
        if (attempts < 2 || (await world.statusOf(scene)) !== "starting") return undefined;
        // The sweep would be faster than the stop.
        await world.withoutClock(async () => {
          await world.wish(scene, "stopping");
          await world.until("the stop is at work", async () => {
            const found = await world.under.sql`
              select from recorder.jobs j join public.recordings r on r.id = j.recording_id
              where r.channel = ${scene.channel} and j.kind = 'stop' and j.state <> 'queued' and j.engine_task_id = (
                select t.id from recorder.engine_tasks t where t.recording_id = r.id order by t.attempt desc limit 1)`;
            return found.length > 0 || (await isOver(scene, world));
          });
        });
        return undefined;
      });
      await start(scene, world);
    },
    ends: "over",
  },
  {
    name: "a recorder that nobody wants any more",
    prepare: untilRecording,
    async act(scene, world) {
      await world.under
        .sql`update recorder.engine_tasks set superseded = true where channel = ${scene.channel} and state = 'running'`;
      await world.sweep();
    },
    ends: "over",
    asksFor: "repair",
  },
];
