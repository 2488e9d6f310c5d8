import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import WebSocket from "ws";
import { quietLog } from "../../stack/part.ts";
import { startRealtime } from "../server.ts";
import { listen, publishableKey, Seen, type Stage, setStage, token } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await setStage({ refusalDelayMs: 200 });
});
afterAll(() => stage.end());

/** Asks for a socket and gives the HTTP answer of the refusal. */
const refusalOf = (path: string, headers: Record<string, string> = {}) =>
  new Promise<{ status: number | undefined; body: unknown; afterMs: number }>((resolve, reject) => {
    const asked = performance.now();
    const upgrade = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": Buffer.alloc(16).toString("base64"),
    };
    const call = request(stage.address + path, { headers: { ...upgrade, ...headers } }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
      resolve({ status: response.statusCode, body, afterMs: performance.now() - asked });
    });
    call.on("upgrade", (_response, socket) => {
      socket.destroy();
      reject(new Error("the socket was opened"));
    });
    call.on("error", reject);
    call.end();
  });

/** A bare socket that speaks version 2.0.0. */
const rawSocket = async (path = "/realtime/v1/websocket", vsn = "2.0.0") => {
  const socket = new WebSocket(
    `${stage.address.replace("http", "ws")}${path}?apikey=${publishableKey}&vsn=${vsn}`,
  );
  const seen = new Seen<unknown>();
  const closed = new Promise<number>((resolve) => socket.once("close", resolve));
  socket.on("message", (data: Buffer) => seen.add(JSON.parse(data.toString())));
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  return { socket, seen, closed, say: (...message: unknown[]) => socket.send(JSON.stringify(message)) };
};

test("a socket without a good key, version or path is refused after the delay", async () => {
  const expired = await token({}, -10);
  const forged = await token({}, 100, "y".repeat(40));
  const expected = [
    ["/realtime/v1/websocket?vsn=2.0.0", 401, "Missing API key"],
    [
      "/realtime/v1/websocket?vsn=2.0.0&apikey=sb_secret_wrong",
      401,
      "MalformedJWT: The token provided is not a valid JWT",
    ],
    [`/realtime/v1/websocket?apikey=${expired}`, 401, "InvalidJWTToken: Token has expired 10 seconds ago"],
    [`/realtime/v1/websocket?apikey=${forged}`, 401, "JwtSignatureError: Failed to validate JWT signature"],
    [`/realtime/v1/websocket?apikey=${publishableKey}&vsn=9.0.0`, 403, "Unsupported vsn 9.0.0"],
    [`/elsewhere?apikey=${publishableKey}`, 404, "Not Found"],
  ] as const;
  await Promise.all(
    expected.map(async ([path, status, error]) => {
      const refusal = await refusalOf(path);
      expect(refusal).toMatchObject({ status, body: { error } });
      expect(refusal.afterMs).toBeGreaterThan(190);
    }),
  );
});

test("all mount points serve, the key may come as a header, and heartbeats are answered", async () => {
  await expect(refusalOf("/websocket", { "x-api-key": publishableKey })).rejects.toThrow(
    "the socket was opened",
  );
  for (const path of ["/realtime/v1/websocket", "/socket/websocket", "/realtime/v1/socket/websocket"]) {
    const { socket, seen, say } = await rawSocket(path);
    say(null, "7", "phoenix", "heartbeat", {});
    expect((await seen.count(1))[0]).toEqual([
      null,
      "7",
      "phoenix",
      "phx_reply",
      { status: "ok", response: {} },
    ]);
    socket.terminate();
  }
});

test("a client that names no version speaks 1.0.0", async () => {
  const socket = new WebSocket(
    `${stage.address.replace("http", "ws")}/socket/websocket?apikey=${publishableKey}`,
  );
  const seen = new Seen<unknown>();
  socket.on("message", (data: Buffer) => seen.add(JSON.parse(data.toString())));
  await new Promise((resolve) => socket.once("open", resolve));
  socket.send(JSON.stringify({ topic: "realtime:old", event: "phx_join", payload: {}, ref: "1" }));
  const joined = { topic: "realtime:old", event: "phx_reply", ref: "1" };
  expect((await seen.count(1))[0]).toMatchObject({ ...joined, payload: { status: "ok" } });
  socket.terminate();
});

test("a connection holds 100 channels and no more", async () => {
  const client = await stage.clientWith();
  const channels = Array.from({ length: 100 }, (_, n) => listen(client, `topic ${n}`));
  await Promise.all(channels.map((channel) => channel.ready()));
  expect(await listen(client, "one too many").refusal()).toBe("ChannelRateLimitReached: Too many channels");
  await client.removeChannel(channels[0]?.channel as never);
  await listen(client, "room again").ready();
});

test("a join of a joined topic closes the first one; what is meant for it is not taken any more", async () => {
  const { socket, seen, say } = await rawSocket();
  say("1", "1", "realtime:twice", "phx_join", {});
  say("2", "2", "realtime:twice", "phx_join", {});
  say("1", "3", "realtime:twice", "broadcast", { event: "late" });
  say("2", "4", "realtime:twice", "phx_leave", {});
  await seen.count(6);
  expect(seen.items).toEqual([
    ["1", "1", "realtime:twice", "phx_reply", { status: "ok", response: { postgres_changes: [] } }],
    ["1", "1", "realtime:twice", "phx_close", {}],
    ["2", "2", "realtime:twice", "phx_reply", { status: "ok", response: { postgres_changes: [] } }],
    ["1", "3", "realtime:twice", "phx_reply", { status: "error", response: { reason: "unmatched topic" } }],
    ["2", "4", "realtime:twice", "phx_reply", { status: "ok", response: {} }],
    ["2", "2", "realtime:twice", "phx_close", {}],
  ]);
  socket.terminate();
});

test("topics that are none are refused, and leaving what is not joined is fine", async () => {
  const { socket, seen, say } = await rawSocket();
  say("1", "1", "elsewhere", "phx_join", {});
  say("2", "2", "realtime:", "phx_join", {});
  say(null, "3", "realtime:unknown", "broadcast", {});
  say(null, "4", "realtime:left", "phx_leave", {});
  await seen.count(4);
  const replies = Object.fromEntries(
    seen.items.map((item) => [(item as unknown[])[1], (item as unknown[])[4]]),
  );
  expect(replies).toEqual({
    1: { status: "error", response: { reason: "unmatched topic" } },
    2: { status: "error", response: { reason: "TopicNameRequired: You must provide a topic name" } },
    3: { status: "error", response: { reason: "unmatched topic" } },
    4: { status: "ok", response: {} },
  });
  socket.terminate();
});

test("replay is refused, on a public channel with its own reason", async () => {
  const { socket, seen, say } = await rawSocket();
  const replay = { broadcast: { replay: { since: 1 } } };
  say("1", "1", "realtime:open", "phx_join", { config: replay });
  const service = {
    access_token: await token({ role: "service_role" }),
    config: { ...replay, private: true },
  };
  say("2", "2", "realtime:closed", "phx_join", service);
  await seen.count(2);
  const reasons = seen.items.map(
    (item) => (item as [0, 0, 0, 0, { response: { reason: string } }])[4].response.reason,
  );
  expect(reasons.sort()).toEqual([
    "UnableToReplayMessages: Realtime was unable to replay messages",
    "UnableToReplayMessages: Replay is not allowed for public channels",
  ]);
  socket.terminate();
});

test("a frame that is not of the protocol closes the socket, a larger one than 5 MB too", async () => {
  const garbled = await rawSocket();
  garbled.socket.send("not json");
  expect(await garbled.closed).toBe(1003);
  const binary = await rawSocket();
  binary.socket.send(Buffer.from([9, 9]));
  expect(await binary.closed).toBe(1003);
  const large = await rawSocket();
  large.socket.send("x".repeat(5_000_001));
  expect(await large.closed).toBe(1009);
});

test("a silent socket is closed", async () => {
  const impatient = await startRealtime({ ...stage.settings, idleTimeoutMs: 200 }, quietLog);
  const socket = new WebSocket(
    `${impatient.address.replace("http", "ws")}/socket/websocket?apikey=${publishableKey}`,
  );
  expect(await new Promise((resolve) => socket.once("close", resolve))).toBe(1006);
  await impatient.stop();
});

test("a port that is taken is said so, and nothing is left running", async () => {
  const port = Number(new URL(stage.address).port);
  await expect(startRealtime({ ...stage.settings, port }, quietLog)).rejects.toMatchObject({
    code: "EADDRINUSE",
    port,
  });
});
