import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quietLog } from "../../stack/part.ts";
import type { RunningB2 } from "../server.ts";
import { startB2 } from "../server.ts";
import { newFileId } from "../version-ids.ts";
import {
  ADMIN,
  allCapabilities,
  BUCKET,
  clientFor,
  encodePath,
  OTHER_BUCKET,
  settingsFor,
  texts,
} from "./running-store.ts";

export const CORS_BUCKET = "with-cors-rules";
/** May do everything, in every bucket. */
export const EVERYWHERE = { keyId: "0050000000000000000000004", applicationKey: "K005everywhere" };
/** May read below `public/` of the first bucket. */
export const READER = { keyId: "0050000000000000000000002", applicationKey: "K005reader" };

/** A store furnished with one of everything that probes need. */
export interface Site {
  store: RunningB2;
  url(key: string, bucket?: string): string;
  /** Signs with the admin's key and sends. */
  send(url: string, init?: RequestInit): Promise<Response>;
  /** The same with some headers changed after signing. */
  tampered(change: Record<string, string | undefined>, init?: RequestInit): Promise<Response>;
  /** A URL for `there.txt`, presigned with these parameters, as if it were some seconds from now. */
  presigned(query?: Record<string, string>, secondsFromNow?: number): Promise<URL>;
  /** A signed request by node:http, which sends exactly the headers it is given. */
  raw(
    url: string,
    init: { method: string; headers?: Record<string, string>; chunks?: string[] },
  ): Promise<Response>;
  /** Bytes on a socket, and what comes back; an answer of status 0 when nothing does. */
  wire(text: string): Promise<Response>;
  /** A new upload with two small parts. */
  upload(): Promise<{ url: string; etags: [string, string] }>;
  /** Of `hidden.txt`. */
  markerId: string;
  remove(): Promise<void>;
}

export async function furnishedSite(): Promise<Site> {
  const dataDir = await mkdtemp(join(tmpdir(), "b2-"));
  // A file of 6 GB as far as its facts go; its bytes are never read.
  const huge = {
    marker: false,
    key: "huge.bin",
    versionId: newFileId(BUCKET, 1),
    modifiedMs: 1,
    size: 6_000_000_000,
    etag: "0".repeat(32),
    pieces: [{ blob: "00".repeat(16), size: 6_000_000_000 }],
    headers: {},
  };
  const fact = { type: "version-added", bucket: BUCKET, version: huge };
  await writeFile(join(dataDir, "journal.ndjson"), `${JSON.stringify(fact)}\n`);
  const rule = { allowedOrigins: ["https://app.example"], allowedMethods: ["GET" as const] };
  const settings = settingsFor(dataDir, {
    buckets: [{ name: BUCKET }, { name: OTHER_BUCKET }, { name: CORS_BUCKET, corsRules: [rule] }],
    keys: [
      { ...READER, bucket: BUCKET, prefix: "public/", capabilities: ["readFiles", "listFiles"] },
      { ...EVERYWHERE, capabilities: allCapabilities },
    ],
  });
  const store = await startB2(settings, quietLog);
  const client = clientFor(ADMIN);
  const url = (key: string, bucket = BUCKET) => `${store.address}/${bucket}/${encodePath(key)}`;
  const send = (to: string, init?: RequestInit) => client.fetch(to, init);
  const there = url("there.txt");

  await send(there, { method: "PUT", body: "hello" });
  await send(url("public/a.txt"), { method: "PUT", body: "a" });
  await send(url("hidden.txt"), { method: "PUT", body: "x" });
  const hidden = await send(url("hidden.txt"), { method: "DELETE" });

  return {
    store,
    url,
    send,
    async tampered(change, init = {}) {
      const request = await client.sign(there, init);
      const headers = new Headers(request.headers);
      for (const [name, value] of Object.entries(change)) {
        if (value === undefined) headers.delete(name);
        else headers.set(name, value);
      }
      return fetch(request.url, { method: request.method, headers });
    },
    async presigned(query = {}, secondsFromNow = 0) {
      const to = new URL(there);
      for (const [name, value] of Object.entries(query)) to.searchParams.set(name, value);
      const at = new Date(Date.now() + secondsFromNow * 1000).toISOString();
      const aws = { signQuery: true, datetime: at.replace(/[:-]|\.\d{3}/g, "") };
      return new URL((await client.sign(to, { aws })).url);
    },
    async raw(to, { method, headers = {}, chunks = [] }) {
      const signed = await client.sign(to, { method });
      return await new Promise((resolve, reject) => {
        const all = { ...Object.fromEntries(signed.headers), ...headers };
        const request = httpRequest(to, { method, headers: all });
        // A store that takes the body in and waits for more says nothing.
        const waiting = setInterval(() => {
          if (!store.requests.underWay().some(({ receivedBytes }) => receivedBytes > 0)) return;
          resolve(Response.error());
          request.destroy();
        }, 10);
        request.on("error", reject).on("close", () => clearInterval(waiting));
        request.on("response", async (response) => {
          const body = Buffer.concat(await response.toArray());
          resolve(new Response(body, { status: response.statusCode ?? 0 }));
          request.destroy();
        });
        for (const chunk of chunks) request.write(chunk);
        if (headers["content-length"] === undefined) request.end();
      });
    },
    async wire(text) {
      const { port, hostname } = new URL(store.address);
      return await new Promise((resolve, reject) => {
        const socket = connect(Number(port), hostname, () => socket.write(text));
        let answer = "";
        socket.on("data", (chunk) => {
          answer += chunk;
        });
        socket.on("error", reject).on("close", () => {
          const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
          resolve(status === 0 ? Response.error() : new Response(answer, { status }));
        });
      });
    },
    async upload() {
      const to = url(`upload-${randomUUID()}`);
      const begun = await (await send(`${to}?uploads`, { method: "POST" })).text();
      const named = `${to}?uploadId=${texts(begun, "UploadId")[0]}`;
      const part = async (number: number) => {
        const sent = await send(`${named}&partNumber=${number}`, { method: "PUT", body: `part ${number}` });
        return sent.headers.get("etag")?.replaceAll('"', "") ?? "";
      };
      return { url: named, etags: [await part(1), await part(2)] };
    },
    markerId: hidden.headers.get("x-amz-version-id") ?? "",
    async remove() {
      await store.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}
