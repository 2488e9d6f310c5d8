/** The steps a storm is made of, and what each does to the database. */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import type postgres from "postgres";
import { actAs, type Pair, type Who } from "../recorder-database.ts";

const WORDS = ["starting", "stopping", "recording", "recorded", "failed", "not_recorded"] as const;
const TASK_EVENTS = [
  "task.acquired",
  "task.resent",
  "task.unanswered",
  "task.started",
  "task.seen",
  "task.confirmed",
  "task.suspected",
  "task.doubted",
  "task.left",
  "task.files",
  "task.gone",
  "task.lost",
] as const;
const OUTCOMES = ["done", "retry", "snooze", "give_up"] as const;

/** One thing that somebody does. `pick` numbers choose among the rows that are there at that moment. */
export type Step =
  | { do: "wish"; pick: number; word: (typeof WORDS)[number]; who: "mentor" | "mentee" | "service_role" }
  | { do: "join" | "old_row" | "end" | "delete" | "touch"; pick: number }
  | { do: "report"; pick: number; event: (typeof TASK_EVENTS)[number]; isCertain: boolean }
  | { do: "event"; pick: number; kind: number; isUnknown: boolean }
  | { do: "begin" | "publish" | "empty" | "missing"; pick: number }
  | { do: "work"; pick: number; outcome: (typeof OUTCOMES)[number]; isForgetful: boolean }
  | { do: "sweep" | "late_deadline" | "late_lease" | "silence"; pick: number };

const pick = fc.nat({ max: 1_000_000 });

/** Weighted so that recordings get through every state, and every state meets every event. */
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("wish" as const),
      pick,
      // Starts are what everything else needs.
      word: fc.oneof({ weight: 3, arbitrary: fc.constant("starting" as const) }, fc.constantFrom(...WORDS)),
      who: fc.constantFrom("mentor" as const, "mentee" as const, "service_role" as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "join" as const,
        "join" as const,
        "old_row" as const,
        "end" as const,
        "delete" as const,
        "touch" as const,
        "touch" as const,
      ),
      pick,
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("report" as const),
      pick,
      event: fc.constantFrom(...TASK_EVENTS),
      isCertain: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("event" as const),
      pick,
      // Few numbers, so that the same event comes again.
      kind: fc.nat({ max: 5 }),
      isUnknown: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "begin" as const,
        "begin" as const,
        "publish" as const,
        "empty" as const,
        "missing" as const,
      ),
      pick,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("work" as const),
      pick,
      outcome: fc.constantFrom(...OUTCOMES),
      isForgetful: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "sweep" as const,
        "late_deadline" as const,
        "late_lease" as const,
        "silence" as const,
      ),
      pick,
    }),
  },
);

interface Claimed {
  id: number;
  lease: string;
}

/** Somebody with a connection of their own, who does one step after the other. */
export function createActor(sql: postgres.Sql, pairs: Pair[]) {
  const drain = randomUUID();
  let held: { lane: string; jobs: Claimed[] } = { lane: "control", jobs: [] };

  const pairAt = (n: number): Pair => {
    const pair = pairs[n % pairs.length];
    if (pair === undefined) throw new Error("a storm needs somebody to wish");
    return pair;
  };
  async function some(table: string, condition: string, n: number): Promise<string | undefined> {
    const rows = await sql.unsafe(`select id::text as id from ${table} where ${condition} order by id`);
    return rows.length === 0 ? undefined : (rows[n % rows.length]?.id as string);
  }
  async function someCall(n: number): Promise<{ id: string; pair: Pair } | undefined> {
    const pair = pairAt(n);
    // Mostly what is going on now, sometimes what is long over.
    const id = await some(
      "public.video_calls",
      `mentorship_id = '${pair.mentorshipId}'${n % 5 === 0 ? "" : " and status = 'active'"}`,
      n >> 3,
    );
    return id === undefined ? undefined : { id, pair };
  }
  const someRecording = (n: number) =>
    some("public.recordings", n % 4 === 0 ? "true" : "deadline_at is not null", n >> 3);
  const someTask = (n: number) =>
    some("recorder.engine_tasks", n % 4 === 0 ? "true" : "state <> 'gone'", n >> 3);

  async function take(action: Step): Promise<void> {
    switch (action.do) {
      case "wish": {
        const call = await someCall(action.pick);
        if (call === undefined) return;
        const who: Who =
          action.who === "service_role"
            ? action.who
            : { userId: action.who === "mentor" ? call.pair.mentorUserId : call.pair.menteeUserId };
        await actAs(sql, who, (as) =>
          as.unsafe("update public.video_calls set recording_status = $1 where id = $2", [
            action.word,
            call.id,
          ]),
        );
        return;
      }
      case "join": {
        const pair = pairAt(action.pick);
        await actAs(
          sql,
          { userId: pair.mentorUserId },
          (as) => as`select public.join_call(${pair.mentorshipId})`,
        );
        return;
      }
      case "old_row": {
        const pair = pairAt(action.pick);
        await actAs(
          sql,
          "service_role",
          (as) => as`insert into public.video_calls (mentorship_id) values (${pair.mentorshipId})`,
        );
        return;
      }
      case "end": {
        const call = await someCall(action.pick);
        if (call === undefined) return;
        await actAs(
          sql,
          "service_role",
          (as) => as`update public.video_calls set status = 'ended', end_time = now() where id = ${call.id}`,
        );
        return;
      }
      case "delete": {
        const call = await someCall(action.pick);
        if (call === undefined) return;
        await actAs(sql, "service_role", (as) => as`delete from public.video_calls where id = ${call.id}`);
        return;
      }
      case "touch": {
        const call = await someCall(action.pick);
        if (call === undefined) return;
        await actAs(
          sql,
          "service_role",
          (as) =>
            as`update public.video_calls set participants = ${JSON.stringify([action.pick])} where id = ${call.id}`,
        );
        return;
      }
      case "report": {
        const task = await someTask(action.pick);
        if (task === undefined) return;
        const facts: Record<string, unknown> = {
          resource_id: `resource-${task}`,
          sid: `sid-${task}`,
          is_certain: action.isCertain,
          may_run: action.isCertain,
          look: action.isCertain,
          is_refuted: action.isCertain,
          files: action.isCertain ? [{ fileName: "x.m3u8" }] : [],
        };
        if (action.event === "task.confirmed" && action.isCertain)
          facts.started_at = new Date().toISOString();
        await sql`select recorder_api.report(${task}, ${action.event}, ${sql.json(facts as postgres.JSONValue)})`;
        return;
      }
      case "event": {
        const task = await someTask(action.pick);
        if (task === undefined) return;
        const [known] = await sql`select channel, uid from recorder.engine_tasks where id = ${task}`;
        await sql`
          select recorder_api.receive_event(
            ${`${task}-${action.kind}`}, ${40 + action.kind}, ${`sid-${task}`},
            ${action.isUnknown ? null : known?.channel}, ${action.isUnknown ? null : known?.uid},
            ${action.kind === 0}, '{"payload": {"sequence": 1}}')`;
        return;
      }
      case "begin": {
        const recording = await someRecording(action.pick);
        if (recording === undefined) return;
        const [begun] =
          await sql`select recorder_api.begin_attempt(${recording}, now() + interval '1 day') ->> 'id' as id`;
        // A worker that goes on: otherwise too few recordings live to be stopped.
        const task: string | null = begun?.id ?? null;
        if (task === null || action.pick % 2 === 0) return;
        await sql`select recorder_api.report(${task}, 'task.acquired', ${sql.json({ resource_id: `resource-${task}` })})`;
        return;
      }
      case "publish": {
        const recording = await someRecording(action.pick);
        if (recording === undefined) return;
        await sql`
          select recorder_api.publish(${recording},
            ${sql.json([{ kind: "mp4", attempt: 1, object_key: `recordings/${recording}/x.mp4`, content_type: "video/mp4", size_bytes: 7 }])},
            '{"duration_ms": 5, "size_bytes": 7, "stored_bytes": 9}')`;
        return;
      }
      case "empty":
      case "missing": {
        const recording = await someRecording(action.pick);
        if (recording === undefined) return;
        await sql`select recorder_api.files_failed(${recording}, ${`files.${action.do}`})`;
        return;
      }
      case "work": {
        const lane = action.pick % 3 === 0 ? "storage" : "control";
        const finished =
          held.lane === lane && !action.isForgetful
            ? held.jobs.map((job) => ({
                ...job,
                outcome: action.outcome,
                after_ms: 0,
                error: { code: "x_failed", blame: "engine", retry: "later", message: "m" },
              }))
            : [];
        const [row] = await sql`
          select recorder_api.work(${lane}, ${drain}, ${sql.json(finished)}, ${1 + (action.pick % 4)}) as step`;
        held = { lane, jobs: row?.step.jobs ?? [] };
        return;
      }
      case "sweep":
        await sql`select recorder.sweep()`;
        return;
      case "late_deadline": {
        const recording = await someRecording(action.pick);
        await sql`
          update public.recordings set deadline_at = now() - interval '1 second'
          where id = ${recording ?? null} and deadline_at is not null`;
        return;
      }
      case "late_lease":
        await sql`
          update recorder.jobs set leased_until = now() - interval '1 second'
          where id = (select id from recorder.jobs where state = 'running' order by id offset ${action.pick % 5} limit 1)
            and state = 'running'`;
        await sql`update recorder.drains set leased_until = '-infinity' where place = ${1 + (action.pick % 2)}`;
        return;
      case "silence": {
        const task = await someTask(action.pick);
        await sql`update recorder.engine_tasks set last_seen_at = now() - interval '10 minutes' where id = ${task ?? null}`;
        return;
      }
    }
  }
  return { take };
}
