import { afterAll, beforeAll, expect, test } from "vitest";
import { quietLog } from "../../stack/part.ts";
import { startRealtime } from "../server.ts";
import { ann, bob, listen, type Stage, setStage, token } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ accessTokenThrottleMs: 0 });
});
afterAll(() => stage.end());

const isPrivate = { private: true };

test("a user joins the private topic that the policy allows, with broadcasts and changes on one channel", async () => {
  const own = listen(await stage.clientOf(ann), `notes:${ann}`, {
    ...isPrivate,
    changes: [{ table: "notes" }],
  });
  await own.ready();
  await stage.sql.begin(async (sql) => {
    await sql`insert into public.notes (owner, text) values (${ann}, 'both')`;
    await sql`select realtime.send('{"said": "both"}', 'note.added', ${`notes:${ann}`})`;
  });
  expect((await own.changes.count(1))[0]?.new).toMatchObject({ text: "both" });
  expect((await own.broadcasts.count(1))[0]).toMatchObject({
    event: "note.added",
    payload: { said: "both" },
  });
});

test("another user's topic, an anonymous client and a topic without a policy are refused", async () => {
  const topics = [
    [await stage.clientOf(bob), `notes:${ann}`],
    [await stage.clientWith(), `notes:${ann}`],
    [await stage.clientOf(ann), "somewhere"],
  ] as const;
  for (const [client, topic] of topics) {
    const refused = listen(client, topic, isPrivate);
    expect(await refused.refusal()).toBe(
      `Unauthorized: You do not have permissions to read from this Channel topic: ${topic}`,
    );
  }
});

test("a refused join is answered only after the delay", async () => {
  const slow = await startRealtime({ ...stage.settings, joinErrorDelayMs: 400 }, quietLog);
  const client = await stage.clientOf(bob, slow.address);
  try {
    // The other channel of the same socket is not held up.
    await listen(client, "open").ready();
    const asked = performance.now();
    await listen(client, `notes:${ann}`, isPrivate).refusal();
    expect(performance.now() - asked).toBeGreaterThan(390);
  } finally {
    await client.removeAllChannels();
    await slow.stop();
  }
});

test("with an insert policy clients broadcast to each other; without one a broadcast is dropped without a word", async () => {
  const [annClient, bobClient] = [await stage.clientOf(ann), await stage.clientOf(bob)];
  const config = { ...isPrivate, broadcast: { ack: true } };
  const sender = listen(annClient, "lobby", config);
  const receiver = listen(bobClient, "lobby", config);
  const reader = listen(annClient, "announcements", config);
  const other = listen(bobClient, "announcements", config);
  await Promise.all([sender, receiver, reader, other].map((channel) => channel.ready()));

  const refused = reader.channel.send({ type: "broadcast", event: "shout", payload: {} }, { timeout: 300 });
  expect(await refused).toBe("timed out");
  expect(await sender.channel.send({ type: "broadcast", event: "hello", payload: { n: 1 } })).toBe("ok");
  expect((await receiver.broadcasts.count(1))[0]).toEqual({
    type: "broadcast",
    event: "hello",
    payload: { n: 1 },
  });
  expect(other.broadcasts.items).toEqual([]);
});

test("a public and a private topic of one name are different", async () => {
  const [hidden, open] = [await stage.clientOf(ann), await stage.clientOf(bob)];
  const privately = listen(hidden, "lobby", isPrivate);
  const publicly = listen(open, "lobby", { broadcast: { self: true } });
  await Promise.all([privately.ready(), publicly.ready()]);
  await publicly.channel.send({ type: "broadcast", event: "public", payload: {} });
  await stage.sql`select realtime.send('{}', 'private', 'lobby', true)`;
  await Promise.all([publicly.broadcasts.count(1), privately.broadcasts.count(1)]);
  expect(publicly.broadcasts.items.map(({ event }) => event)).toEqual(["public"]);
  expect(privately.broadcasts.items.map(({ event }) => event)).toEqual(["private"]);
});

test("a new token is checked anew: with the right it may stay, without it the channel is closed", async () => {
  const client = await stage.clientOf(ann);
  const channel = listen(client, `notes:${ann}`, isPrivate);
  await channel.ready();
  await stage.renew(client, await token({ sub: ann, session: 2 }));
  await stage.sql`select realtime.send('{}', 'still', ${`notes:${ann}`})`;
  await channel.broadcasts.count(1);
  await stage.renew(client, await token({ sub: bob }));
  const last = await channel.system.find(({ status }) => status === "error");
  expect(last.message).toBe(`You do not have permissions to read from this Channel topic: notes:${ann}`);
  await channel.statuses.find(({ status }) => status === "CLOSED");
});

test("a right to send that was found out ends with the token it was found out for", async () => {
  const client = await stage.clientOf(ann);
  const channel = listen(client, "lobby", { private: true, broadcast: { ack: true } });
  await channel.ready();
  const send = () =>
    channel.channel.send({ type: "broadcast", event: "hello", payload: {} }, { timeout: 300 });
  expect(await send()).toBe("ok");
  await stage.renew(client, await token({ sub: ann, muted: true }));
  expect(await send()).toBe("timed out");
  await stage.renew(client, await token({ sub: ann, session: 3 }));
  expect(await send()).toBe("ok");
});

test("a policy that fails refuses the join", async () => {
  await stage.sql.unsafe(`create policy "fails" on realtime.messages for select to authenticated
    using (case when realtime.topic() = 'broken' then (1 / (length(topic) - length(topic))) = 1 else false end)`);
  const refused = listen(await stage.clientOf(ann), "broken", isPrivate);
  expect(await refused.refusal()).toContain("Unauthorized: You do not have permissions");
});

test("a policy reads the topic and the claims; of the connection's headers only those that begin with x-", async () => {
  await stage.sql.unsafe(`create policy "by claims and headers" on realtime.messages for select to authenticated using (
    realtime.topic() = 'circumstances' and extension = 'broadcast'
    and current_setting('request.jwt.claim.sub') = '${ann}'
    and current_setting('request.jwt.claim.role') = 'authenticated'
    and current_setting('request.headers')::jsonb = '{}')`);
  await listen(await stage.clientOf(ann), "circumstances", isPrivate).ready();
});
