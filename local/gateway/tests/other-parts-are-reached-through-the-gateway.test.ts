import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { keys, type LocalProject, localProject } from "./local-project.ts";

let project: LocalProject;
let part: Server;
let sockets: WebSocketServer;

beforeAll(async () => {
  part = createServer(async (request, response) => {
    response.setHeader("x-path", request.url ?? "");
    response.setHeader("x-forwarded-for-seen", request.headers["x-forwarded-for"] ?? "");
    response.write("first ");
    for await (const piece of request) response.write(piece);
    response.end();
  });
  sockets = new WebSocketServer({ server: part });
  sockets.on("connection", (socket, request) => {
    socket.send(request.url ?? "");
    socket.on("message", (text) => socket.send(`echo ${text}`));
  });
  await new Promise<void>((resolve) => part.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(part.address() as AddressInfo).port}`;
  project = await localProject("", { realtimeUrl: url, functionsUrl: url });
});
afterAll(async () => {
  await project.stop();
  sockets.close();
  part.closeAllConnections();
  await new Promise((resolve) => part.close(resolve));
});

describe("Behind the gateway", () => {
  test("functions and Realtime's HTTP get the request with its path and body", async () => {
    for (const path of ["/functions/v1/run-control/now?x=1", "/realtime/v1/api/broadcast"]) {
      const answer = await fetch(`${project.url}${path}`, { method: "POST", body: "second" });
      expect(answer.headers.get("x-path")).toBe(path);
      expect(answer.headers.get("x-forwarded-for-seen")).toContain("127.0.0.1");
      expect(await answer.text()).toBe("first second");
    }
  });

  test("an answer streams: its beginning arrives before the request has ended", async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const pending = fetch(`${project.url}/functions/v1/x`, {
      method: "POST",
      body: readable,
      duplex: "half",
    } as RequestInit);
    await writer.write(new TextEncoder().encode("a"));
    const reader = (await pending).body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toContain("first");
    await writer.close();
    for (let read = await reader?.read(); read && !read.done; read = await reader?.read());
  });

  test("Realtime's WebSocket goes through both ways", async () => {
    const path = `/realtime/v1/websocket?apikey=${keys.publishableKey}&vsn=2.0.0`;
    const socket = new WebSocket(`${project.url.replace("http", "ws")}${path}`);
    const heard: string[] = [];
    socket.onmessage = ({ data }) => heard.push(String(data));
    await expect.poll(() => heard).toEqual([path]);
    socket.send("hello");
    await expect.poll(() => heard[1]).toBe("echo hello");
    socket.close();
  });

  test("a WebSocket to any other path is refused", async () => {
    const socket = new WebSocket(`${project.url.replace("http", "ws")}/rest/v1/`);
    const closed = new Promise<boolean>((resolve) => {
      socket.onopen = () => resolve(false);
      socket.onerror = () => resolve(true);
    });
    expect(await closed).toBe(true);
  });

  test("a path that belongs to nobody is 404, as the hosted gateway words it", async () => {
    const answer = await fetch(`${project.url}/storage/v1/bucket`, { headers: { apikey: keys.secretKey } });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({ message: "no Route matched with those values" });
  });

  test("a part that is away is 503, and the gateway goes on", async () => {
    part.closeAllConnections();
    await new Promise((resolve) => part.close(resolve));
    expect((await fetch(`${project.url}/functions/v1/x`)).status).toBe(503);
    const answer = await fetch(`${project.url}/auth/v1/health`, { headers: { apikey: keys.publishableKey } });
    expect(answer.status).toBe(200);
  });
});
