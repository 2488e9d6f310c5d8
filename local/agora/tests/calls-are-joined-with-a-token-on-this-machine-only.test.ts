import http from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hasForeignAddress, onlyLoopback } from "../../../web/src/calls/local/messages.ts";
import type { RunningAgora } from "../server.ts";
import { callerToken, openSocket } from "./call-stage.ts";
import { startEngine } from "./stage.ts";

/** A busy machine answers late. */
const patience = { timeout: 30_000 };
let engine: RunningAgora;
const pages: Awaited<ReturnType<typeof openSocket>>[] = [];

beforeAll(async () => {
  engine = await startEngine({ calls: { heartbeatMs: 400, joinWithinMs: 1_000 } });
});
afterAll(async () => {
  for (const page of pages) page.close();
  await engine.stop();
});

async function open() {
  const page = await openSocket(engine.address);
  pages.push(page);
  return page;
}

test("who brings a token for this call and person gets a description that names only 127.0.0.1", async () => {
  const page = await open();
  await page.join("room", 7);
  const { sdp, peers } = await page.hears("joined");
  expect(peers).toEqual([]);
  expect(hasForeignAddress(sdp)).toBe(false);
  const candidates = sdp.split("\r\n").filter((line) => line.startsWith("a=candidate:"));
  expect(candidates.length).toBeGreaterThan(0);
  for (const line of candidates) expect(line.split(" ")[4]).toBe("127.0.0.1");
  page.close();
});

const now = () => Math.floor(Date.now() / 1000);
test.each<[string, string, boolean, () => Promise<Record<string, unknown>>]>([
  [
    "a token of another channel",
    "token_invalid",
    false,
    async () => ({ token: await callerToken("other", 7) }),
  ],
  [
    "a token of another person",
    "token_invalid",
    false,
    async () => ({ token: await callerToken("room", 8) }),
  ],
  [
    "a token signed by somebody else",
    "token_invalid",
    false,
    async () => ({ token: await callerToken("room", 7, { appCertificate: "0".repeat(32) }) }),
  ],
  [
    "a token that only lets one listen",
    "token_invalid",
    false,
    async () => ({ token: await callerToken("room", 7, { role: "subscriber" }) }),
  ],
  [
    "an expired token",
    "token_expired",
    true,
    async () => ({
      token: await callerToken("room", 7, { issuedAtSeconds: now() - 100, expiresInSeconds: 99 }),
    }),
  ],
  ["no token", "token_invalid", false, async () => ({ token: "" })],
  ["another App ID", "app_unknown", false, async () => ({ app_id: "f".repeat(32) })],
  ["a number that is none", "message_invalid", false, async () => ({ uid: 0 })],
  ["a member nobody knows", "message_invalid", false, async () => ({ role: "recorder" })],
])("%s is refused with %s", async (_, code, retry, more) => {
  const page = await open();
  await page.join("room", 7, await more());
  expect(await page.hears("refused")).toMatchObject({ code, retry });
  expect(await page.isClosed()).toEqual({ code: 4_400, reason: code });
});

test("a token that ends puts its page out", async () => {
  const page = await open();
  const token = await callerToken("short", 7, { issuedAtSeconds: now() - 10, expiresInSeconds: 12 });
  await page.join("short", 7, { token });
  await page.hears("joined");
  page.beat();
  expect(await page.hears("refused")).toMatchObject({ code: "token_expired", retry: true });
});

test.each<[string, string, (page: Awaited<ReturnType<typeof openSocket>>) => void]>([
  ["text that is no JSON", "message_invalid", ({ socket }) => socket.send("{")],
  ["JSON that is no message", "message_invalid", ({ socket }) => socket.send("[1]")],
  ["bytes", "message_invalid", ({ socket }) => socket.send(Buffer.from([0, 255, 3]))],
  ["a message before joining", "not_joined", ({ send }) => send({ type: "ping" })],
])("garbage on the socket, %s, is refused with %s", async (_, code, speak) => {
  const page = await open();
  speak(page);
  expect(await page.hears("refused")).toMatchObject({ code, retry: false });
});

test("a message larger than any page sends ends the socket unread", async () => {
  const page = await open();
  page.socket.send("x".repeat(200_000));
  expect((await page.isClosed()).code).toBe(1_009);
});

test("more messages than any page sends are refused", async () => {
  const page = await open();
  await page.join("flood", 7);
  await page.hears("joined");
  for (let count = 0; count < 200; count++) page.send({ type: "ping" });
  expect(await page.hears("refused")).toMatchObject({ code: "too_many_messages" });
});

test.each([
  ["a candidate of the local network", "a=candidate:1 1 udp 1 192.168.1.5 5000 typ host"],
  ["a candidate of the internet", "a=candidate:1 1 udp 1 203.0.113.9 5000 typ host"],
  ["a hidden name", "a=candidate:1 1 udp 1 0f3c.local 5000 typ host"],
  ["an IPv6 address", "a=candidate:1 1 udp 1 ::1 5000 typ host"],
  ["a related address elsewhere", "a=candidate:1 1 udp 1 127.0.0.1 5000 typ srflx raddr 10.0.0.1 rport 9"],
  ["a default address elsewhere", "c=IN IP4 203.0.113.9"],
])("a description with %s is refused", async (_, line) => {
  const page = await open();
  await page.join("room", 9);
  await page.hears("joined");
  page.send({ type: "answer", sdp: `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n${line}\r\n` });
  expect(await page.hears("refused")).toMatchObject({ code: "foreign_address", retry: false });
});

test("a description that is none is refused", async () => {
  const page = await open();
  await page.join("room", 9);
  await page.hears("joined");
  page.send({ type: "answer", sdp: "nonsense" });
  expect(await page.hears("refused")).toMatchObject({ code: "description_invalid" });
});

test("a page takes the foreign addresses out of its own description", () => {
  const { sdp, removed } = onlyLoopback(
    [
      "c=IN IP4 192.168.1.5",
      "a=candidate:1 1 udp 1 192.168.1.5 5000 typ host",
      "a=candidate:2 1 udp 1 127.0.0.1 5001 typ host",
    ].join("\r\n"),
  );
  expect(removed).toBe(1);
  expect(sdp).toBe("c=IN IP4 0.0.0.0\r\na=candidate:2 1 udp 1 127.0.0.1 5001 typ host");
  expect(hasForeignAddress(sdp)).toBe(false);
});

test("a page that falls silent is gone after three heartbeats, and the others are told", async () => {
  const [stays, falls] = [await open(), await open()];
  await stays.join("silence", 1);
  await stays.hears("joined");
  stays.beat();
  await falls.join("silence", 2, { name: "Somebody" });
  const off = { microphone: "off", camera: "off", screen: "off" };
  await falls.hears("joined");
  const told = () => stays.heard.flatMap((message) => (message.type === "peers" ? [message.peers] : []));
  expect(told().at(-1)).toEqual([{ uid: 2, name: "Somebody", slot: 0, publications: off }]);
  expect(await falls.hears("refused")).toMatchObject({ code: "page_silent", retry: true });
  await expect.poll(() => told().at(-1), patience).toEqual([]);
});

test("a socket on which nobody joins is closed", async () => {
  const page = await open();
  expect(await page.hears("refused")).toMatchObject({ code: "join_missing" });
});

test("what somebody sends and when they leave is told to the others at once", async () => {
  const [first, second] = [await open(), await open()];
  await first.join("pair", 1);
  await first.hears("joined");
  first.beat();
  await second.join("pair", 2);
  expect((await second.hears("joined")).peers.map(({ uid }) => uid)).toEqual([1]);
  second.beat();
  const publications = { microphone: "muted", camera: "on", screen: "off" } as const;
  second.send({ type: "publications", publications });
  const last = () =>
    first.heard.flatMap((message) => (message.type === "peers" ? [message.peers] : [])).at(-1);
  await expect.poll(() => last()?.[0]?.publications, patience).toEqual(publications);
  second.send({ type: "leave" });
  await expect.poll(() => last(), patience).toEqual([]);
  expect((await second.isClosed()).code).toBe(1_000);
  first.close();
});

test("four people fit into a call, and the fifth is told so; a page that comes back takes its old place", async () => {
  const people = [];
  for (let uid = 1; uid <= 4; uid++) {
    const page = await open();
    await page.join("full", uid);
    await page.hears("joined");
    page.beat();
    people.push(page);
  }
  const fifth = await open();
  await fifth.join("full", 5);
  expect(await fifth.hears("refused")).toMatchObject({ code: "channel_full", retry: true });
  const again = await open();
  await again.join("full", 4);
  expect((await again.hears("joined")).peers.map(({ uid }) => uid)).toEqual([1, 2, 3]);
  expect(await people[3]?.hears("refused")).toMatchObject({ code: "joined_elsewhere", retry: false });
  for (const page of [...people, again]) page.close();
});

test("no other path is opened to sockets", async () => {
  const { port } = new URL(engine.address);
  const status = await new Promise<number>((resolve, reject) => {
    const headers = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    http
      .get({ port, host: "127.0.0.1", path: "/v1/apps", headers })
      .on("response", (answer) => resolve(answer.statusCode ?? 0))
      .on("upgrade", () => resolve(101))
      .on("error", reject);
  });
  expect(status).toBe(404);
});
