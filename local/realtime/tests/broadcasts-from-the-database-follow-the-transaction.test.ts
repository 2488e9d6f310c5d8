import { afterAll, beforeAll, expect, test } from "vitest";
import { keepPartitions, partitionOf } from "../partitions.ts";
import { ensureRealtimeSchema } from "../schema.ts";
import { ann, listen, type Stage, setStage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.end());

const join = async () => {
  const channel = listen(await stage.clientOf(ann), "announcements", { private: true });
  await channel.ready();
  return channel;
};

test("what is sent in a transaction arrives after its commit, in order, and never after a rollback", async () => {
  const channel = await join();
  await stage.sql
    .begin(async (sql) => {
      await sql`select realtime.send('{"n": 0}', 'undone', 'announcements')`;
      throw new Error("undo");
    })
    .catch(() => undefined);
  let seenBeforeCommit = -1;
  await stage.sql.begin(async (sql) => {
    await sql`select realtime.send('{"n": 1}', 'first', 'announcements')`;
    await sql`select realtime.send('{"n": 2, "id": "mine"}', 'second', 'announcements')`;
    // Another transaction's message overtakes the one that is still open.
    await stage.sql`select realtime.send('{}', 'overtakes', 'announcements')`;
    await channel.broadcasts.count(1);
    seenBeforeCommit = channel.broadcasts.items.length;
  });
  const seen = await channel.broadcasts.count(3);
  expect(seenBeforeCommit).toBe(1);
  expect(seen.map(({ event }) => event)).toEqual(["overtakes", "first", "second"]);
  const [row] = await stage.sql`select id, payload from realtime.messages where event = 'first'`;
  expect(seen[1]).toEqual({
    type: "broadcast",
    event: "first",
    payload: { n: 1, id: row?.id },
    meta: { id: row?.id },
  });
  expect(seen[2]?.payload).toEqual({ n: 2, id: "mine" });
});

test("a message sent as public reaches the public topic only", async () => {
  const privately = await join();
  const publicly = listen(await stage.clientWith(), "announcements");
  await publicly.ready();
  await stage.sql`select realtime.send('{}', 'open', 'announcements', false)`;
  await stage.sql`select realtime.send('{}', 'closed', 'announcements', true)`;
  await Promise.all([publicly.broadcasts.count(1), privately.broadcasts.count(1)]);
  expect(publicly.broadcasts.items.map(({ event }) => event)).toEqual(["open"]);
  expect(privately.broadcasts.items.map(({ event }) => event)).toEqual(["closed"]);
});

test("broadcast_changes sends a row's change from a trigger", async () => {
  await stage.sql.unsafe(`
    create function public.tell_room() returns trigger language plpgsql security definer set search_path = '' as $$
    begin
      perform realtime.broadcast_changes('announcements', tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
      return null;
    end $$;
    create trigger tell after insert or update or delete on public.rooms for each row execute function public.tell_room()`);
  const channel = await join();
  await stage.sql`insert into public.rooms values (1, 'one', null, null)`;
  const [seen] = await channel.broadcasts.count(1);
  expect(seen).toMatchObject({
    event: "INSERT",
    payload: {
      operation: "INSERT",
      schema: "public",
      table: "rooms",
      record: { id: 1, name: "one" },
      old_record: null,
    },
  });
  await expect(
    stage.sql`select realtime.broadcast_changes('t', 'e', 'INSERT', 'rooms', 'public', null, null, 'STATEMENT')`,
  ).rejects.toThrow("function can only be triggered for each row, not for each statement");
});

test("a failing send is only a warning: the transaction goes on and nothing is sent", async () => {
  const channel = await join();
  await stage.sql.begin(async (sql) => {
    await sql`select realtime.send('{}', 'no topic', null)`;
    await sql`set local role authenticated`;
    await sql`select realtime.send('{}', 'not allowed', 'announcements')`;
    await sql`reset role`;
    await sql`select realtime.send('{}', 'allowed', 'announcements')`;
  });
  await channel.broadcasts.count(1);
  expect(channel.broadcasts.items.map(({ event }) => event)).toEqual(["allowed"]);
  const warnings = stage.notices.filter((notice) => notice.startsWith("WarnSendingBroadcastMessage: "));
  expect(warnings).toEqual([
    expect.stringContaining("null value in column"),
    expect.stringContaining("row-level security policy"),
  ]);
});

test("a row that is no broadcast is dropped and said in the log", async () => {
  const channel = await join();
  await stage.sql`
    insert into realtime.messages (topic, extension, private) values ('announcements', 'broadcast', true)`;
  await stage.sql`select realtime.send('{}', 'after', 'announcements')`;
  await channel.broadcasts.count(1);
  expect(channel.broadcasts.items.map(({ event }) => event)).toEqual(["after"]);
  expect(stage.lines).toContain("a row of realtime.messages is no broadcast");
});

test("bytes stored as a message arrive as bytes", async () => {
  const channel = await join();
  await stage.sql`
    insert into realtime.messages (topic, extension, private, event, binary_payload)
    values ('announcements', 'broadcast', true, 'bytes', '\\x0001ff')`;
  const [seen] = await channel.broadcasts.count(1);
  expect([...new Uint8Array(seen?.payload as ArrayBuffer)]).toEqual([0, 1, 255]);
});

test("postgres has no CREATE in the schema but may put policies on messages; clients may not read partitions", async () => {
  await expect(stage.sql`create table realtime.mine (id int)`).rejects.toThrow(
    "permission denied for schema realtime",
  );
  await stage.sql`create policy "extra" on realtime.messages for insert to anon with check (false)`;
  const { name } = partitionOf(new Date());
  await stage.sql
    .begin(async (sql) => {
      await sql`set local role authenticated`;
      await expect(sql`select from ${sql(`realtime.${name}`)}`).rejects.toThrow(
        "permission denied for table",
      );
    })
    .catch(() => undefined);
});

test("the schema may be ensured again, and partitions are made ahead and dropped after 72 hours", async () => {
  await ensureRealtimeSchema(stage.settings.databaseUrl);
  const now = new Date("2031-05-10T12:00:00Z");
  await keepPartitions(stage.admin, now);
  const rows = await stage.admin<{ name: string }[]>`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'realtime.messages'::regclass order by 1`;
  expect(rows.map((row) => row.name)).toEqual(
    ["09", "10", "11", "12", "13"].map((day) => `messages_2031_05_${day}`),
  );
  await keepPartitions(stage.admin, new Date());
});
