import { createHmac, randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { wish } from "../integration/people.ts";
import type { StackUnderTest } from "../integration/stack-under-test.ts";
import type { Exchange, RecordingProxy, Scripted } from "./recording-proxy.ts";

/** One call with a channel of its own, in which one story happens. */
export interface Scene {
  channel: string;
  callId: string;
}

/** What is scripted for a request; undefined passes it on. */
export type Script = (exchange: Exchange, body: string) => Promise<Scripted | undefined>;

/** The stack as stories see it: people's wishes, the clock of single rows, the engine behind our backs. */
export interface World {
  under: StackUnderTest;
  scenes(count: number): Promise<Scene[]>;
  wish(scene: Scene, word: "starting" | "stopping"): Promise<void>;
  /** The present status of the call; null before its first recording. */
  statusOf(scene: Scene): Promise<string | null>;
  /** Waits until `ask` is true; throws with `what` after `limitMs`. */
  until(what: string, ask: () => Promise<boolean>, limitMs?: number): Promise<void>;
  /** From now on this decides about the engine's calls, or a report, of the scene's channel. */
  script(
    scene: Scene,
    call: "acquire" | "start" | "query" | "stop" | "report task.unanswered",
    script: Script,
  ): void;
  scriptOf(channel: string | undefined, call: string): Script | undefined;
  /** A fault of the engine's in the scene's channel. */
  fault(scene: Scene, fault: Record<string, unknown>): Promise<void>;
  /** An event as the engine would sign it, about the newest recorder of the scene. */
  tell(scene: Scene, eventType: number, details: Record<string, unknown>): Promise<void>;
  /** Rows of the scene's recording become older by so many seconds: start sent, last seen, deadline. */
  age(scene: Scene, seconds: number): Promise<void>;
  sweep(): Promise<void>;
  /** Everything that waits for some minutes is due, and the sweep comes by; the test's clock does so some times a second. */
  tick(): Promise<void>;
  /** The clock stands still while this goes on. */
  withoutClock(work: () => Promise<void>): Promise<void>;
  /** Work of the scene that is due later stays so; `goOn` lets the clock make it due. */
  keepWaiting(scene: Scene): void;
  goOn(scene: Scene): Promise<void>;
}

const loopMs = 50;
/** A limit and no measure: what waits for a condition ends with it. */
const patienceMs = 120_000;

export function createWorld(
  under: StackUnderTest,
  mentorshipId: string,
  clients: () => Parameters<typeof wish>[0],
): World {
  const scripts = new Map<string, Script>();
  const { sql, stack, engine, people } = under;
  const waiting = new Set<string>();
  let standsStill = 0;
  const sweeps = new Set<Promise<unknown>>();

  /** Notes a sweep, whoever asked for it, so that what needs the clock to stand still can wait for its end. */
  async function noted(work: PromiseLike<unknown>): Promise<void> {
    const sweep = Promise.resolve(work).finally(() => sweeps.delete(sweep));
    sweeps.add(sweep);
    await sweep;
  }

  async function tickOnce(): Promise<void> {
    // As the sweep does, it waits for nobody: what somebody is at work on is due with the next tick.
    await sql`
      update recorder.jobs set run_at = clock_timestamp()
      where id = any (array(
        select j.id from recorder.jobs j left join public.recordings r on r.id = j.recording_id
        where j.state = 'queued' and j.run_at > clock_timestamp() and j.run_at < clock_timestamp() + interval '10 minutes'
          and (r.channel is null or r.channel <> all (${[...waiting]}))
        for update of j skip locked))`;
    await sql`select recorder.sweep()`;
  }

  return {
    under,
    async scenes(count) {
      const made = Array.from({ length: count }, () => randomUUID()).map((callId) => ({
        callId,
        channel: callId.replaceAll("-", ""),
      }));
      const rows = made.map(({ callId, channel }) => ({ id: callId, channel, mentorship_id: mentorshipId }));
      const { error } = await people.service.from("video_calls").insert(rows);
      if (error !== null) throw new Error(`calls could not be made: ${error.message}`);
      return made;
    },
    async wish({ callId }, word) {
      const answer = await wish(clients(), callId, word);
      if (answer.code !== undefined || answer.became.length !== 1) {
        throw new Error(`the wish ${word} was not taken: ${JSON.stringify(answer)}`);
      }
    },
    async statusOf({ callId }) {
      const [row] = await sql<{ recording_status: string | null }[]>`
        select recording_status from public.video_calls where id = ${callId}`;
      return row?.recording_status ?? null;
    },
    async until(what, ask, limitMs = patienceMs) {
      const limit = Date.now() + limitMs;
      while (!(await ask())) {
        if (Date.now() > limit) throw new Error(`waited in vain: ${what}`);
        await pause(loopMs);
      }
    },
    script: ({ channel }, call, script) => void scripts.set(`${channel} ${call}`, script),
    scriptOf: (channel, call) => scripts.get(`${channel} ${call}`),
    fault: ({ channel }, fault) => engine.addFault({ ...fault, cname: channel }),
    async tell({ channel }, eventType, details) {
      const [task] = await sql<{ sid: string; uid: string }[]>`
        select sid, uid from recorder.engine_tasks where channel = ${channel} order by attempt desc limit 1`;
      const payload = {
        cname: channel,
        ...task,
        sequence: 1_000,
        sendts: Date.now(),
        serviceType: 1,
        details,
      };
      const body = JSON.stringify({
        noticeId: randomUUID().replaceAll("-", ""),
        productId: 3,
        eventType,
        notifyMs: Date.now(),
        payload,
      });
      const signature = createHmac("sha256", stack.env.AGORA_WEBHOOK_SECRET ?? "")
        .update(body)
        .digest("hex");
      const answer = await fetch(`${stack.url}/functions/v1/agora-events`, {
        method: "POST",
        headers: { "content-type": "application/json", "agora-signature-v2": signature },
        body,
      });
      if (answer.status !== 200) throw new Error(`the event was answered ${answer.status}`);
    },
    async age({ channel }, seconds) {
      await sql`
        update recorder.engine_tasks set
          start_sent_at = start_sent_at - make_interval(secs => ${seconds}),
          last_seen_at = last_seen_at - make_interval(secs => ${seconds}),
          suspect_since = suspect_since - make_interval(secs => ${seconds})
        where channel = ${channel} and state <> 'gone'`;
      await sql`
        update public.recordings set deadline_at = deadline_at - make_interval(secs => ${seconds})
        where channel = ${channel} and status in ('starting', 'stopping', 'processing')`;
    },
    async sweep() {
      while (standsStill > 0) await pause(loopMs);
      await noted(sql`select recorder.sweep()`);
    },
    async tick() {
      if (standsStill > 0) return;
      await noted(tickOnce());
    },
    keepWaiting: ({ channel }) => void waiting.add(channel),
    async goOn({ channel }) {
      waiting.delete(channel);
      await sql`
        update recorder.jobs j set run_at = clock_timestamp() from public.recordings r
        where r.id = j.recording_id and r.channel = ${channel} and j.state = 'queued' and j.run_at > clock_timestamp()`;
    },
    async withoutClock(work) {
      standsStill += 1;
      try {
        await Promise.allSettled(sweeps);
        await work();
      } finally {
        standsStill -= 1;
      }
    },
  };
}

/** Lets the scripts of a world decide what becomes of the engine's calls. */
export function hookOf(world: World): NonNullable<RecordingProxy["hooks"]["before"]> {
  return async (exchange, body) => await world.scriptOf(exchange.channel, exchange.call)?.(exchange, body);
}
