import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer } from "../../postgres/testing.ts";
import { quietLog } from "../../stack/part.ts";
import { startRealtime } from "../server.ts";
import { ann, listen, type Stage, setStage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.end());

test("the server outlives the loss of its database sessions, says so, and delivers again to the same channel", async () => {
  const channel = listen(await stage.clientOf(ann), `notes:${ann}`, {
    private: true,
    changes: [{ table: "notes" }],
  });
  await channel.ready();
  await stage.admin`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name in ('realtime', 'realtime_replication_connection')`;
  // The channel is told that its subscription exists anew, which is when a client should fetch what it missed.
  await channel.system.find(() => channel.system.items.filter(({ status }) => status === "ok").length >= 2);
  await stage.sql.begin(async (sql) => {
    await sql`insert into public.notes (owner, text) values (${ann}, 'after')`;
    await sql`select realtime.send('{}', 'after', ${`notes:${ann}`})`;
  });
  expect((await channel.changes.count(1))[0]?.new).toMatchObject({ text: "after" });
  await channel.broadcasts.count(1);
  expect(channel.statuses.items.map(({ status }) => status)).toEqual(["SUBSCRIBED"]);
  expect(stage.lines).toContain("replication stream is lost, changes until it is back are not delivered");
});

test("a Postgres that is shut down does not have to wait for the stream", async () => {
  const server = await startTestServer();
  const database = await server.createDatabase();
  const realtime = await startRealtime({ ...stage.settings, databaseUrl: database.adminUrl }, quietLog);
  const sql = postgres(database.adminUrl, { max: 1, onnotice: () => undefined });
  await sql`select realtime.send('{}', 'event', 'topic')`;
  await sql.end();
  const asked = performance.now();
  // It kills what has not ended by itself after 10 s.
  await server.stop();
  expect(performance.now() - asked).toBeLessThan(10_000);
  await realtime.stop();
});

test("only one slot exists, it is temporary, and it is gone after a stop", async () => {
  const slots = () =>
    stage.admin`select slot_name, temporary from pg_replication_slots where database = current_database()`;
  const [slot, ...others] = await slots();
  expect(slot).toMatchObject({
    temporary: true,
    slot_name: expect.stringMatching(/^supabase_realtime_replication_slot_/),
  });
  expect(others).toEqual([]);
});
