import { createClient } from "@supabase/supabase-js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ann, bob, listen, publishableKey, type Stage, setStage, token } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage();
});
afterAll(() => stage.end());

const config = { private: true, changes: [{ table: "notes" }] };
const topic = `notes:${ann}`;

test.concurrent("when its token expires the channel says so and closes", async () => {
  const channel = listen(await stage.clientWith(await token({ sub: ann }, 2)), topic, config);
  await channel.ready();
  const last = await channel.system.find(({ status }) => status === "error");
  expect(last).toMatchObject({ extension: "system", channel: topic });
  expect(last.message).toMatch(/^Token has expired [01] seconds ago$/);
  await channel.statuses.find(({ status }) => status === "CLOSED");
});

test.concurrent("a refreshed token keeps the channel open past the first one's end, with its subscriptions", async () => {
  const client = await stage.clientWith(await token({ sub: ann }, 2));
  const channel = listen(client, topic, config);
  await channel.ready();
  await stage.renew(client, await token({ sub: ann, session: 2 }, 3600));
  // Another channel with the short token shows that its end has come.
  const short = listen(await stage.clientWith(await token({ sub: bob }, 2)), "any");
  await short.statuses.find(({ status }) => status === "CLOSED");
  await stage.sql`insert into public.notes (owner, text) values (${ann}, 'still here')`;
  expect((await channel.changes.count(1))[0]?.new).toMatchObject({ text: "still here" });
  expect(channel.statuses.items.map(({ status }) => status)).toEqual(["SUBSCRIBED"]);
});

test.concurrent("a second refresh within the throttle is held back, and used when the token in use expires", async () => {
  const client = await stage.clientWith(await token({ sub: ann }));
  const channel = listen(client, topic, config);
  await channel.ready();
  await stage.renew(client, await token({ sub: ann, session: 2 }, 2));
  await channel.system.find(() => channel.system.items.length >= 2);
  await stage.renew(client, await token({ sub: bob, session: 3 }));
  const last = await channel.system.find(({ status }) => status === "error");
  expect(last.message).toBe(`You do not have permissions to read from this Channel topic: ${topic}`);
});

test("a token that is not good refuses the join with the documented reason", async () => {
  const reasons = {
    "JwtSignatureError: Failed to validate JWT signature": await token({ sub: ann }, 3600, "x".repeat(40)),
    "InvalidJWTToken: Token has expired 100 seconds ago": await token({ sub: ann }, -100),
    "InvalidJWTToken: Fields `role` and `exp` are required in JWT": await token({ role: undefined }),
    "MalformedJWT: The token provided is not a valid JWT": "not.a.token",
  };
  for (const [reason, bad] of Object.entries(reasons)) {
    const channel = listen(await stage.clientWith(bad), "any");
    expect(await channel.refusal()).toBe(reason);
  }
});

test("a bad token that comes as a refresh closes the channel", async () => {
  const messages = {
    ":signature_error": await token({ sub: ann }, 3600, "x".repeat(40)),
    "Fields `role` and `exp` are required in JWT": await token({ role: undefined }),
    "The token provided is not a valid JWT": "not.a.token",
  };
  for (const [message, bad] of Object.entries(messages)) {
    const client = await stage.clientOf(ann);
    const channel = listen(client, "any");
    await channel.ready();
    await stage.renew(client, bad);
    expect((await channel.system.find(({ status }) => status === "error")).message).toBe(message);
    await channel.statuses.find(({ status }) => status === "CLOSED");
  }
});

test("a role that the database does not know is refused on a private channel and told on a subscription", async () => {
  const client = await stage.clientWith(await token({ role: "no_such_role" }));
  expect(await listen(client, "lobby", { private: true }).refusal()).toContain("Unauthorized: ");
  const reader = listen(client, "reader", { changes: [{ table: "rooms" }] });
  const told = await reader.system.find(({ extension }) => extension === "postgres_changes");
  expect(told).toMatchObject({
    status: "error",
    message: expect.stringContaining('role "no_such_role" does not exist'),
  });
});

test("a token that is set by hand is good for a join", async () => {
  const client = createClient(stage.address, publishableKey);
  await client.realtime.setAuth(await token({ sub: ann }));
  await listen(client, topic, { private: true }).ready();
  await client.removeAllChannels();
});

test("a legacy token is good as the key of the connection", async () => {
  const service = listen(await stage.clientWith(undefined, await token({ role: "service_role" })), "lobby", {
    private: true,
  });
  await service.ready();
});
