import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AwsClient } from "aws4fetch";
import { expect } from "vitest";
import { quietLog } from "../../stack/part.ts";
import type { RunningB2 } from "../server.ts";
import { startB2 } from "../server.ts";
import type { B2SettingsInput } from "../settings.ts";
import { b2Settings, capabilitySchema } from "../settings.ts";

export const BUCKET = "call-recordings";
export const OTHER_BUCKET = "other-things";
export const REGION = "us-east-005";

/** Every capability the store looks at, on the first bucket. */
export const ADMIN = {
  keyId: "0050000000000000000000001",
  applicationKey: "K005adminadminadminadminadminad",
};

export const allCapabilities = capabilitySchema.options;

/** Settings of a store that listens on a free port; `keys` come on top of the admin's. */
export function settingsFor(dataDir: string, more: Partial<B2SettingsInput> = {}) {
  return b2Settings.parse({
    port: 0,
    dataDir,
    region: REGION,
    buckets: [{ name: BUCKET }, { name: OTHER_BUCKET }],
    ...more,
    keys: [{ ...ADMIN, bucket: BUCKET, capabilities: allCapabilities }, ...(more.keys ?? [])],
  });
}

export interface StoreUnderTest extends RunningB2 {
  dataDir: string;
  /** Signs with the admin's key, in the header form, and sends. */
  send(path: string, init?: RequestInit): Promise<Response>;
  /** `http://…/bucket/key` with each segment of the key encoded. */
  url(key: string, bucket?: string): string;
  /** Stops the store and deletes its folder. */
  remove(): Promise<void>;
}

/** A store in a new temporary folder. */
export async function startStore(more: Partial<B2SettingsInput> = {}): Promise<StoreUnderTest> {
  const dataDir = await mkdtemp(join(tmpdir(), "b2-"));
  const running = await startB2(settingsFor(dataDir, more), quietLog);
  const client = clientFor(ADMIN);
  return {
    ...running,
    dataDir,
    send: (path, init) => client.fetch(new URL(path, running.address).href, init),
    url: (key, bucket = BUCKET) => `${running.address}/${bucket}/${encodePath(key)}`,
    async remove() {
      await running.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}

export function encodePath(key: string): string {
  return key.split("/").map(encodeURIComponent).join("/");
}

/** The real client, without its own retries. */
export function clientFor(key: { keyId: string; applicationKey: string }, region = REGION, service = "s3") {
  return new AwsClient({
    accessKeyId: key.keyId,
    secretAccessKey: key.applicationKey,
    region,
    service,
    retries: 0,
  });
}

/** Expects a refusal: its status, its code, and its sentence when one is given. */
export async function expectRefusal(
  response: Response | Promise<Response>,
  status: number,
  code: string,
  message?: string | RegExp,
): Promise<void> {
  const answer = await response;
  const text = await answer.text();
  expect({ status: answer.status, code: /<Code>(.*?)<\/Code>/.exec(text)?.[1] }).toEqual({ status, code });
  if (message === undefined) return;
  const told = unescapeXml(/<Message>(.*?)<\/Message>/s.exec(text)?.[1] ?? "");
  if (typeof message === "string") expect(told).toBe(message);
  else expect(told).toMatch(message);
}

/** The texts of all elements of a name. */
export function texts(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, "gs"))].map((match) =>
    unescapeXml(match[1] ?? ""),
  );
}

function unescapeXml(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#13;", "\r")
    .replaceAll("&amp;", "&");
}

export const md5Hex = (bytes: string | Uint8Array) => createHash("md5").update(bytes).digest("hex");
export const md5Base64 = (bytes: string | Uint8Array) => createHash("md5").update(bytes).digest("base64");
export const sha256Hex = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");
