import { createClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ann, listen, publishableKey, type Stage, secretKey, setStage, token } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ maxBroadcastBytes: 1_000 });
});
afterAll(() => stage.end());

const post = (path: string, body: unknown, headers: Record<string, string>) =>
  fetch(`${stage.address}/realtime/v1/api/broadcast${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });

test("a broadcast reaches the others, and its sender only with self", async () => {
  const quiet = listen(await stage.clientWith(), "room");
  const echoing = listen(await stage.clientWith(), "room", { broadcast: { self: true, ack: true } });
  await Promise.all([quiet.ready(), echoing.ready()]);
  const payload = { text: "grüße 👋", nested: { list: [1, null] } };
  expect(await echoing.channel.send({ type: "broadcast", event: "événement", payload })).toBe("ok");
  const expected = { type: "broadcast", event: "événement", payload };
  expect((await quiet.broadcasts.count(1))[0]).toEqual(expected);
  expect((await echoing.broadcasts.count(1))[0]).toEqual(expected);
  await quiet.channel.send({ type: "broadcast", event: "second", payload: {} });
  await echoing.broadcasts.count(2);
  expect(quiet.broadcasts.items).toHaveLength(1);
});

test("bytes arrive as bytes; clients of version 1.0.0 get all but those", async () => {
  const modern = listen(await stage.clientWith(), "mixed", { broadcast: { self: true } });
  const old = createClient(stage.address, publishableKey, { realtime: { vsn: "1.0.0" } as object });
  const legacy = listen(old, "mixed", { broadcast: { self: true } });
  await Promise.all([modern.ready(), legacy.ready()]);
  await modern.channel.send({ type: "broadcast", event: "raw", payload: new Uint8Array([1, 2, 255]).buffer });
  await modern.channel.send({ type: "broadcast", event: "json", payload: { n: 1 } });
  await legacy.broadcasts.count(1);
  await legacy.channel.send({ type: "broadcast", event: "from 1.0.0", payload: { n: 2 } });
  await Promise.all([modern.broadcasts.count(3), legacy.broadcasts.count(2)]);
  const [raw, json] = modern.broadcasts.items;
  expect([...new Uint8Array(raw?.payload as ArrayBuffer)]).toEqual([1, 2, 255]);
  expect(json).toEqual({ type: "broadcast", event: "json", payload: { n: 1 } });
  expect(legacy.broadcasts.items.map(({ event, payload }) => [event, payload])).toEqual([
    ["json", { n: 1 }],
    ["from 1.0.0", { n: 2 }],
  ]);
  await old.removeAllChannels();
});

test("a payload over the limit is dropped, and said to a sender that asks for an acknowledgement", async () => {
  const sender = listen(await stage.clientWith(), "limit", { broadcast: { ack: true } });
  const receiver = listen(await stage.clientWith(), "limit");
  await Promise.all([sender.ready(), receiver.ready()]);
  const large = { type: "broadcast", event: "large", payload: { text: "x".repeat(1_000) } } as const;
  expect(await sender.channel.send(large)).toBe("error");
  expect(await sender.channel.send({ type: "broadcast", event: "small", payload: {} })).toBe("ok");
  await receiver.broadcasts.count(1);
  expect(receiver.broadcasts.items.map(({ event }) => event)).toEqual(["small"]);
});

test("over HTTP the client's httpSend and the batch call reach public topics", async () => {
  const receiver = listen(await stage.clientWith(), "posted");
  await receiver.ready();
  const sender = await stage.clientWith();
  expect(await sender.channel("posted").httpSend("one", { n: 1 })).toEqual({ success: true });
  const batch = { messages: [{ topic: "posted", event: "two", payload: { n: 2 } }] };
  const response = await post("", batch, { apikey: publishableKey });
  expect([response.status, await response.text()]).toEqual([202, ""]);
  await receiver.broadcasts.count(2);
  expect(receiver.broadcasts.items.map(({ event, payload }) => [event, payload])).toEqual([
    ["one", { n: 1 }],
    ["two", { n: 2 }],
  ]);
});

test("over HTTP a private topic follows the insert policies, and a refused message is answered like a sent one", async () => {
  const receiver = listen(await stage.clientOf(ann), "lobby", { private: true });
  await receiver.ready();
  const messages = (event: string) => ({ messages: [{ topic: "lobby", event, payload: {}, private: true }] });
  const user = `Bearer ${await token({ sub: ann })}`;
  const calls = [
    await post("", messages("anonymous"), { apikey: publishableKey }),
    await post("", messages("user"), { apikey: publishableKey, authorization: user }),
    await post("", messages("service"), { apikey: secretKey, authorization: `Bearer ${secretKey}` }),
    await post("/lobby/events/single?private=true", {}, { apikey: publishableKey, authorization: user }),
  ];
  expect(calls.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
  await receiver.broadcasts.count(3);
  expect(receiver.broadcasts.items.map(({ event }) => event)).toEqual(["user", "service", "single"]);
});

test("over HTTP nobody sends without a good key, and nothing malformed is taken", async () => {
  const good = { messages: [{ topic: "t", event: "e", payload: {} }] };
  const expired = await token({ sub: ann }, -1);
  const refusals = [
    [401, await post("", good, {})],
    [401, await post("", good, { apikey: "sb_publishable_other" })],
    [401, await post("", good, { apikey: publishableKey, authorization: `Bearer ${expired}` })],
    [401, await post("", good, { apikey: publishableKey, authorization: `Bearer ${secretKey}` })],
    [422, await post("", {}, { apikey: publishableKey })],
    [422, await post("", { messages: [] }, { apikey: publishableKey })],
    [422, await post("", { messages: [{ topic: "t", payload: {} }] }, { apikey: publishableKey })],
    [
      422,
      await post(
        "",
        { messages: [{ ...good.messages[0], payload: { x: "x".repeat(1_000) } }] },
        { apikey: publishableKey },
      ),
    ],
    [422, await post("/t/events/e", "x".repeat(1_000), { apikey: publishableKey })],
    [415, await post("/t/events/e", {}, { apikey: publishableKey, "content-type": "text/plain" })],
    [400, await post("/%E0%A4%A/events/e", {}, { apikey: publishableKey })],
    [413, await post("", "x".repeat(5_000_001), { apikey: publishableKey })],
    [404, await fetch(`${stage.address}/realtime/v1/api/broadcast`, { headers: { apikey: publishableKey } })],
  ] as const;
  expect(refusals.map(([, { status }]) => status)).toEqual(refusals.map(([status]) => status));
});
