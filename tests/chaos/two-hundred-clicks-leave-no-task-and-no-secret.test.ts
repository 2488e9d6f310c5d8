import { randomUUID } from "node:crypto";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Pair, wish } from "../integration/people.ts";
import { useStack } from "../integration/stack-under-test.ts";
import { eventually } from "../integration/watching.ts";
import { findInLogs, findInTables, formsOf, secretsOf } from "./secrets.ts";

const under = useStack({
  partSettings: {
    agora: { media: "prepared", joinMs: 400, exitMs: 200, sliceSeconds: 1, requestsPerSecond: 1_000 },
  },
});

const calls = 20;
const clicks = 200;
/** The same clicks again: CHAOS_SEED=<the seed that was printed>. Their order between the two users is the machine's. */
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 2 ** 31);

let pair: Pair;

const oneClick = fc.record({
  call: fc.nat(calls - 1),
  who: fc.constantFrom("mentor" as const, "mentee" as const),
  word: fc.constantFrom("starting" as const, "stopping" as const),
  /** Until the same person clicks again. */
  pauseMs: fc.nat(90),
});

/** Notes each word that is accepted, in the order in which the rows of calls took them: under the row's own lock. */
async function noteAcceptedWords(): Promise<void> {
  await under.sql.unsafe(`
    create schema clicks;
    create table clicks.accepted (number bigint generated always as identity, call_id uuid not null, word text not null);
    create function clicks.note() returns trigger language plpgsql security definer as $$
    begin
      insert into clicks.accepted (call_id, word) values (new.id, new.recording_status);
      return new;
    end $$;
    create trigger "000_note" before update of recording_status on public.video_calls
      for each row when (current_user <> 'recorder_owner') execute function clicks.note();`);
}

async function makeCalls(mentorshipId: string): Promise<{ id: string; channel: string }[]> {
  const made = Array.from({ length: calls }, () => randomUUID()).map((id) => ({
    id,
    channel: id.replaceAll("-", ""),
    mentorship_id: mentorshipId,
  }));
  const { error } = await under.people.service.from("video_calls").insert(made);
  expect(error).toBeNull();
  return made;
}

/** What the calls are, beside what the engine holds in their channels. */
async function statesOf(made: readonly { id: string; channel: string }[]) {
  const rows = await under.sql<{ id: string; recording_status: string | null }[]>`
    select id, recording_status from public.video_calls where id = any (${made.map(({ id }) => id)})`;
  const tasks = await under.engine.allTasks();
  return made.map(({ id, channel }) => ({
    call: id,
    status: rows.find((row) => row.id === id)?.recording_status ?? null,
    tasks: tasks.filter(({ cname, status }) => cname === channel && status <= 5).length,
  }));
}

test(`two people click start and stop ${clicks} times on ${calls} calls (seed ${seed}): each ends as its last accepted click says`, async () => {
  console.log(`seed ${seed}`);
  const { sql, people, engine } = under;
  // Beyond the engine's own rate, which only makes this test longer.
  await sql`update recorder.settings set value = 200 where name = 'requests_per_second'`;
  pair = await people.pair();
  const made = await makeCalls(pair.mentorshipId);
  await noteAcceptedWords();
  const [drawn = []] = fc.sample(fc.array(oneClick, { minLength: clicks, maxLength: clicks, size: "max" }), {
    seed,
    numRuns: 1,
  });
  expect(drawn).toHaveLength(clicks);

  const answers: Awaited<ReturnType<typeof wish>>[] = [];
  await Promise.all(
    (["mentor", "mentee"] as const).map(async (who) => {
      const waiting: Promise<void>[] = [];
      for (const { call, word, pauseMs } of drawn.filter((click) => click.who === who)) {
        const id = made[call]?.id ?? "";
        // Nobody waits for an answer before the next click.
        waiting.push(wish(pair[who].client, id, word).then((answer) => void answers.push(answer)));
        await pause(pauseMs);
      }
      await Promise.all(waiting);
    }),
  );
  const refusals = answers.filter(({ code }) => code !== undefined);
  expect(refusals.filter(({ code }) => code !== "still_stopping")).toEqual([]);
  const accepted = await sql<{ call_id: string; word: string }[]>`
    select call_id, word from clicks.accepted order by number`;
  expect(accepted).toHaveLength(clicks - refusals.length);
  console.log(`${accepted.length} clicks accepted, ${refusals.length} refused`);

  const lastWord = new Map(accepted.map(({ call_id, word }) => [call_id, word]));
  const isAsWished = ({ call, status, tasks }: Awaited<ReturnType<typeof statesOf>>[number]) =>
    lastWord.get(call) === "starting"
      ? status === "recording" && tasks === 1
      : [null, "recorded", "failed"].includes(status) && tasks === 0;
  await eventually(async () => (await statesOf(made)).filter((state) => !isAsWished(state)), [], 60_000);
  // Of what was ever asked for, nothing is left beside that.
  const wanted = [...lastWord.values()].filter((word) => word === "starting").length;
  await eventually(async () => (await engine.allTasks()).length, wanted, 20_000);

  await Promise.all(made.map(({ id }) => wish(people.service, id, "stopping")));
  await eventually(() => engine.allTasks(), [], 60_000);
  await eventually(
    async () => (await statesOf(made)).filter(({ status }) => status === "processing"),
    [],
    60_000,
  );
  const failed = await sql`
    select error ->> 'code' as code from public.recordings
    where status = 'failed' and channel = any (${made.map(({ channel }) => channel)})
      and error ->> 'code' not in ('stopped_before_start', 'nothing_recorded')`;
  expect([...failed]).toEqual([]);
}, 240_000);

test("after all that no secret is found in any table or log, and the search finds one that was put there", async () => {
  const { stack, sql } = under;
  // Watched too: signed addresses and tokens of playlists pass through all the parts.
  const [recorded] = await sql<{ id: string }[]>`
    select id from public.recordings where status = 'recorded' and mentorship_id = ${pair.mentorshipId} limit 1`;
  const watched = await pair.mentee.client.functions.invoke("play-recording", {
    body: { recording_id: recorded?.id },
  });
  expect(watched.error).toBeNull();
  expect((await fetch(watched.data.hls.url)).status).toBe(200);

  const secrets = await secretsOf(stack.dataDir);
  expect(secrets.length).toBeGreaterThan(12);
  expect(await findInTables(sql, secrets)).toEqual([]);
  expect(await findInLogs(stack.dataDir, secrets)).toEqual([]);

  const planted = { name: "planted", forms: formsOf(`K005${randomUUID()}`) };
  const [plain = ""] = planted.forms;
  await sql`
    insert into recorder.inbox (notice_id, event_type, event)
    values ('planted', 1, ${sql.json({ deep: [{ inside: `Bearer ${plain}` }] })})`;
  await sql`insert into vault.secrets (name, description, secret) values ('planted', ${plain}, 'nothing')`;
  await sql`create table clicks.bytes as select convert_to(${plain}, 'UTF8') as bytes`;
  await appendFile(
    join(stack.dataDir, "logs", "functions.log"),
    `request with ${Buffer.from(plain).toString("base64")}\n`,
  );
  expect((await findInTables(sql, [planted])).sort()).toEqual([
    "planted in clicks.bytes",
    "planted in recorder.inbox",
    "planted in vault.secrets",
  ]);
  expect(await findInLogs(stack.dataDir, [planted])).toEqual(["planted in functions.log"]);
}, 120_000);
