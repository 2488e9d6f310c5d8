import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import { AwsClient } from "aws4fetch";
import { isLoopbackHost } from "./settings.ts";
import { prefixOf, type StorageConfig, s3Protocol } from "./storage-rules.ts";

/** Codes of event 1, module 1 (uploader). */
export const storageSettingsWrong = 32;
export const uploadFailed = 47;

/** An upload that will not succeed: `code` is what event 1 tells. */
export class UploadRefused extends Error {
  readonly code: typeof storageSettingsWrong | typeof uploadFailed;

  constructor(code: typeof storageSettingsWrong | typeof uploadFailed, message: string) {
    super(message);
    this.code = code;
  }
}

export interface StorageOptions {
  /** SigV4 region where the endpoint's host does not tell it. */
  region: string;
  /** Pauses before each further try after a transient error, ms. */
  retryMs: number[];
  /** Extra pause before each upload, ms: a fault switch. */
  slowBy(): number;
}

/**
 * Puts files into the bucket that start named: path style, SigV4, one PUT per file with its length, no content type and no
 * checksum headers (what the real recorder sends is not documented). Only endpoints on this machine are reached.
 */
export class Storage {
  readonly #bucketUrl: URL;
  readonly #prefix: string;
  readonly #client: AwsClient;
  readonly #options: StorageOptions;

  /** Throws UploadRefused (32) when the settings cannot lead to a store on this machine. */
  constructor(config: StorageConfig, options: StorageOptions) {
    this.#bucketUrl = bucketUrlOf(config);
    this.#prefix = prefixOf(config.fileNamePrefix);
    this.#options = options;
    this.#client = new AwsClient({
      accessKeyId: config.accessKey,
      secretAccessKey: config.secretKey,
      service: "s3",
      region: regionOf(this.#bucketUrl.hostname) ?? options.region,
      retries: 0,
    });
  }

  /** Puts one file under the task's prefix. Throws UploadRefused when the store refuses it or stays away. */
  async put(name: string, source: { path: string } | { text: string }, signal: AbortSignal): Promise<void> {
    await pause(this.#options.slowBy(), undefined, { signal });
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#send(name, source, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        return { status: 0, text: error instanceof Error ? error.message : String(error) };
      });
      if (outcome.status >= 200 && outcome.status < 300) return;
      const told = `${outcome.status || "no answer"} ${outcome.text.slice(0, 300)}`;
      const isTransient = outcome.status === 0 || outcome.status === 429 || outcome.status >= 500;
      if (!isTransient) throw new UploadRefused(storageSettingsWrong, told);
      const wait = this.#options.retryMs[attempt];
      if (wait === undefined) throw new UploadRefused(uploadFailed, told);
      await pause(wait, undefined, { signal });
    }
  }

  async #send(
    name: string,
    source: { path: string } | { text: string },
    signal: AbortSignal,
  ): Promise<{ status: number; text: string }> {
    const key = `${this.#prefix}${name}`.split("/").map(encodeURIComponent).join("/");
    const signed = await this.#client.sign(`${this.#bucketUrl.href}/${key}`, { method: "PUT" });
    const length = "path" in source ? (await stat(source.path)).size : Buffer.byteLength(source.text, "utf8");
    const url = new URL(signed.url);
    const { request } = url.protocol === "https:" ? https : http;
    return new Promise((resolve, reject) => {
      const sending = request(url, {
        method: "PUT",
        headers: { ...Object.fromEntries(signed.headers), "content-length": length },
        signal,
      });
      sending.setTimeout(30_000, () => sending.destroy(new Error("the store did not answer in 30 s")));
      sending.on("error", reject);
      sending.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
        );
      });
      if ("text" in source) sending.end(source.text);
      else
        createReadStream(source.path)
          .on("error", (error) => sending.destroy(error))
          .pipe(sending);
    });
  }
}

function bucketUrlOf(config: StorageConfig): URL {
  const wrong = (why: string) => new UploadRefused(storageSettingsWrong, why);
  if (config.vendor !== s3Protocol) {
    throw wrong(
      `vendor ${config.vendor} is a store elsewhere; this stand-in reaches vendor 11 on this machine only`,
    );
  }
  const endpoint = config.extensionParams?.endpoint ?? "";
  if (endpoint.includes("://")) throw wrong(`the endpoint is a bare host without a scheme, not ${endpoint}`);
  if (!URL.canParse(`http://${endpoint}`)) throw wrong(`the endpoint ${endpoint} is no host`);
  const base = new URL(`http://${endpoint}`);
  if (!isLoopbackHost(base.hostname)) {
    throw wrong(`the endpoint ${endpoint} is not on this machine; this stand-in reaches nothing else`);
  }
  return new URL(`${base.pathname.replace(/\/$/, "")}/${encodeURIComponent(config.bucket)}`, base);
}

/** The region that hosts like `s3.us-west-004.backblazeb2.com` tell by themselves. */
function regionOf(hostname: string): string | undefined {
  return /^s3\.([a-z0-9-]+)\./.exec(hostname)?.[1];
}
