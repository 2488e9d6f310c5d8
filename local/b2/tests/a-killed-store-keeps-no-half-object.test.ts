import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { quietLog } from "../../stack/part.ts";
import { startB2 } from "../server.ts";
import { ADMIN, BUCKET, clientFor, md5Hex, settingsFor, texts } from "./running-store.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const readySchema = z.object({ type: z.literal("ready"), address: z.string() });

let dataDir: string;
let child: ChildProcess | undefined;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "b2-killed-"));
});
afterEach(async () => {
  await kill();
  await rm(dataDir, { recursive: true });
});

/** Starts the store as the process of its own that it is, and gives its address. */
async function startProcess(): Promise<string> {
  child = fork(main, {
    env: { ...process.env, PART_SETTINGS: JSON.stringify(settingsFor(dataDir)) },
    silent: true,
  });
  const [message] = await once(child, "message");
  return readySchema.parse(message).address;
}

async function kill(): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

const client = clientFor(ADMIN);
const incoming = () => readdir(join(dataDir, "incoming"));
async function blobs(): Promise<string[]> {
  const files = await readdir(join(dataDir, "blobs"), { recursive: true, withFileTypes: true });
  return files.filter((file) => file.isFile()).map((file) => file.name);
}

/** Begins a request whose body never ends. */
async function beginUpload(url: string, bytes: Buffer): Promise<void> {
  const signed = await client.sign(url, { method: "PUT" });
  const headers = { ...Object.fromEntries(signed.headers), "content-length": String(bytes.length * 2) };
  httpRequest(url, { method: "PUT", headers })
    .on("error", () => undefined)
    .write(bytes);
}

test("a kill -9 during uploads loses nothing that was answered and shows nothing that was not", async () => {
  const address = await startProcess();
  const url = (key: string) => `${address}/${BUCKET}/${key}`;
  const whole = randomBytes(200_000);
  expect((await client.fetch(url("whole"), { method: "PUT", body: whole })).status).toBe(200);
  const hidden = await client.fetch(url("hidden"), { method: "PUT", body: "x" });
  await client.fetch(url("hidden"), { method: "DELETE" });
  const started = await client.fetch(`${url("large")}?uploads`, { method: "POST", body: "" });
  const [uploadId = ""] = texts(await started.text(), "UploadId");
  await client.fetch(`${url("large")}?partNumber=1&uploadId=${uploadId}`, { method: "PUT", body: whole });

  await beginUpload(url("half"), whole);
  await beginUpload(`${url("large")}?partNumber=2&uploadId=${uploadId}`, whole);
  await vi.waitFor(async () => expect(await incoming()).toHaveLength(2));
  await kill();
  expect(await incoming()).toHaveLength(2);

  const again = await startProcess();
  const at = (key: string) => url(key).replace(address, again);
  expect(await incoming()).toEqual([]);
  expect((await client.fetch(at("half"))).status).toBe(404);
  expect((await client.fetch(at("hidden"))).status).toBe(404);
  const read = await client.fetch(at("whole"));
  expect(Buffer.from(await read.arrayBuffer()).equals(whole)).toBe(true);
  const version = hidden.headers.get("x-amz-version-id") ?? "";
  expect(await (await client.fetch(`${at("hidden")}?versionId=${version}`)).text()).toBe("x");

  const parts = await (await client.fetch(`${at("large")}?uploadId=${uploadId}`)).text();
  expect(texts(parts, "PartNumber")).toEqual(["1"]);
  const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${md5Hex(whole)}</ETag></Part></CompleteMultipartUpload>`;
  expect((await client.fetch(`${at("large")}?uploadId=${uploadId}`, { method: "POST", body })).status).toBe(
    200,
  );
  expect((await client.fetch(at("large"), { method: "HEAD" })).headers.get("content-length")).toBe("200000");
  expect(await blobs()).toHaveLength(3);
});

test("bytes that were stored but never told of are swept at the next start", async () => {
  const first = await startB2(settingsFor(dataDir), quietLog);
  await client.fetch(`${first.address}/${BUCKET}/kept`, { method: "PUT", body: "kept" });
  await first.stop();
  const [kept = ""] = await blobs();
  // A kill between the rename of the blob and the journal's line leaves exactly this.
  await writeFile(join(dataDir, "blobs", kept.slice(0, 2), `${kept.slice(0, 2)}orphan`), "bytes");
  const second = await startB2(settingsFor(dataDir), quietLog);
  await second.stop();
  expect(await blobs()).toEqual([kept]);
});

test("a line of the journal that was cut off did not happen; one that is damaged stops the start", async () => {
  const journal = join(dataDir, "journal.ndjson");
  const first = await startB2(settingsFor(dataDir), quietLog);
  const url = (address: string) => `${address}/${BUCKET}/kept`;
  await client.fetch(url(first.address), { method: "PUT", body: "kept" });
  await first.stop();

  await appendFile(journal, '{"type":"version-removed","bucket":"call-rec');
  const second = await startB2(settingsFor(dataDir), quietLog);
  expect(await (await client.fetch(url(second.address))).text()).toBe("kept");
  await second.stop();
  expect((await readFile(journal, "utf8")).endsWith("}\n")).toBe(true);

  await appendFile(journal, "damaged\n");
  await expect(startB2(settingsFor(dataDir), quietLog)).rejects.toThrow(/journal cannot be read.*line 2/);
});
