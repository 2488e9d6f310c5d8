import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import type { LookupFunction } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { AwsClient } from "aws4fetch";
import { type RefusalId, Refusals } from "./refusals/list.ts";
import { s3Protocol } from "./refusals/storage-config.ts";
import { prefixOf, type StorageConfig } from "./request-rules.ts";
import { type AgoraSettings, isLoopbackHost } from "./settings.ts";

/** Codes of event 1, module 1 (uploader). */
const uploadFailed = 47;

/** An upload that will not succeed: `code` is what event 1 tells. */
export class UploadRefused extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The code of event 1 for whatever ended an upload. */
export function codeOf(error: unknown): number {
  return error instanceof UploadRefused ? error.code : uploadFailed;
}

type Source = { path: string } | { text: string };

/** What may go wrong on purpose. */
export interface StorageFaults {
  /** Extra pause before each upload, ms. */
  slowBy?: () => number;
  /** The code with which the store is to "refuse" this upload, if it is. */
  refuses?: () => number | undefined;
}

/**
 * Puts files into the bucket that start named: SigV4, one PUT per file with its length. What else the real recorder sends
 * is not documented: see unconfirmed.ts. Only endpoints on this machine are reached.
 */
export class Storage {
  readonly #bucketUrl: URL;
  readonly #prefix: string;
  readonly #client: AwsClient;
  readonly #settings: AgoraSettings;
  readonly #refusals: Refusals;
  readonly #faults: StorageFaults;

  /** Throws UploadRefused (32) when the settings cannot lead to a store on this machine. */
  constructor(
    config: StorageConfig,
    settings: AgoraSettings,
    refusals = new Refusals(settings.unconfirmed),
    faults: StorageFaults = {},
  ) {
    const base = endpointOf(config, settings, refusals);
    this.#bucketUrl = bucketUrlOf(base, config.bucket, settings.unconfirmed.addressing);
    // Where hyphens are left out, the folders are others than those that were asked for.
    this.#prefix = prefixOf(config.fileNamePrefix.map((folder) => folder.replace(/[-_]/g, "")));
    this.#settings = settings;
    this.#refusals = refusals;
    this.#faults = faults;
    this.#client = new AwsClient({
      accessKeyId: config.accessKey,
      secretAccessKey: config.secretKey,
      service: "s3",
      region: settings.unconfirmed.uploadRegion ?? regionOf(base.hostname) ?? settings.storageRegion,
      retries: 0,
    });
  }

  /** Puts one file under the task's prefix. Throws UploadRefused when the store refuses it or stays away. */
  async put(name: string, source: Source, signal: AbortSignal): Promise<void> {
    await pause(this.#faults.slowBy?.() ?? 0, undefined, { signal });
    const demanded = this.#faults.refuses?.();
    if (demanded !== undefined) throw new UploadRefused(demanded, "the store refuses on demand");
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#send(name, source, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        return { status: 0, text: error instanceof Error ? error.message : String(error) };
      });
      if (outcome.status >= 200 && outcome.status < 300) return;
      const told = `${outcome.status || "no answer"} ${outcome.text.slice(0, 300)}`;
      const isTransient = outcome.status === 0 || outcome.status === 429 || outcome.status >= 500;
      const wait = isTransient ? this.#settings.uploadRetryMs[attempt] : undefined;
      if (wait === undefined) {
        refuse(
          this.#refusals,
          isTransient ? "recorder.storage_unreachable" : "recorder.storage_refused",
          told,
        );
        return;
      }
      await pause(wait, undefined, { signal });
    }
  }

  async #send(name: string, source: Source, signal: AbortSignal): Promise<{ status: number; text: string }> {
    const key = `${this.#prefix}${name}`.split("/").map(encodeURIComponent).join("/");
    const signed = await this.#client.sign(`${this.#bucketUrl.href}${key}`, {
      method: "PUT",
      headers: await this.#headersOf(source),
    });
    const length = "path" in source ? (await stat(source.path)).size : Buffer.byteLength(source.text, "utf8");
    const url = new URL(signed.url);
    const { request } = url.protocol === "https:" ? https : http;
    return new Promise((resolve, reject) => {
      const sending = request(url, {
        method: "PUT",
        headers: { ...Object.fromEntries(signed.headers), "content-length": length },
        ...(url.hostname === this.#bucketUrl.hostname && isLoopbackHost(url.hostname)
          ? {}
          : { lookup: toLoopback }),
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

  async #headersOf(source: Source): Promise<Record<string, string>> {
    const { uploadContentType, uploadChecksum, uploadAcl } = this.#settings.unconfirmed;
    const bytes = async () => ("path" in source ? readFile(source.path) : Buffer.from(source.text, "utf8"));
    const hash = async (name: "md5" | "sha256") =>
      createHash(name)
        .update(await bytes())
        .digest("base64");
    return {
      ...(uploadContentType === undefined ? {} : { "content-type": uploadContentType }),
      ...(uploadChecksum === "md5" ? { "content-md5": await hash("md5") } : {}),
      ...(uploadChecksum === "sha256" ? { "x-amz-checksum-sha256": await hash("sha256") } : {}),
      ...(uploadAcl === "none" ? {} : { "x-amz-acl": uploadAcl }),
    };
  }
}

/** Throws what event 1 will tell, unless the list is without the rule. */
function refuse(refusals: Refusals, id: RefusalId, why: string): void {
  const late = refusals.late(id, () => true);
  if (late?.event) throw new UploadRefused(late.event.errorCode, why);
}

function endpointOf(config: StorageConfig, settings: AgoraSettings, refusals: Refusals): URL {
  const elsewhere = (why: string) => {
    refuse(refusals, "recorder.storage_elsewhere", why);
    throw new Error(why);
  };
  const endpoint = config.extensionParams?.endpoint ?? "";
  const hasScheme = endpoint.includes("://");
  if (hasScheme && settings.unconfirmed.endpointWithScheme === "refused") {
    refuse(refusals, "recorder.storage_endpoint", "the endpoint is a bare host without a scheme");
  }
  const address = hasScheme ? endpoint : `http://${endpoint}`;
  if (config.vendor !== s3Protocol) {
    return elsewhere(`vendor ${config.vendor} is a store elsewhere; this stand-in reaches vendor 11 only`);
  }
  if (!URL.canParse(address)) return elsewhere(`the endpoint ${endpoint} is no host`);
  const base = new URL(address);
  if (!isLoopbackHost(base.hostname)) {
    return elsewhere(`the endpoint ${endpoint} is not on this machine; this stand-in reaches nothing else`);
  }
  return base;
}

/** The bucket's address, with the slash that keys are put behind. */
function bucketUrlOf(base: URL, bucket: string, addressing: "path" | "virtual host"): URL {
  const path = base.pathname.replace(/\/$/, "");
  if (addressing === "path") return new URL(`${path}/${encodeURIComponent(bucket)}/`, base);
  const url = new URL(`${path}/`, base);
  url.hostname = `${bucket}.${base.hostname}`;
  return url;
}

/** A bucket's name in front of a host of this machine is a host of this machine, whatever a name server says. */
const toLoopback: LookupFunction = (_host, options, found) => {
  if (options.all) found(null, [{ address: "127.0.0.1", family: 4 }]);
  else found(null, "127.0.0.1", 4);
};

/** The region that hosts like `s3.us-west-004.backblazeb2.com` tell by themselves. */
function regionOf(hostname: string): string | undefined {
  return /^s3\.([a-z0-9-]+)\./.exec(hostname)?.[1];
}
