/**
 * A store that speaks Backblaze B2's S3-compatible API on the file system, as strict as the real one: signatures,
 * capabilities, headers, versions. Plain http on 127.0.0.1, path style only.
 *
 * What it does not do: create or delete buckets (they come from the settings); access lists beyond `private`; Object
 * Lock; SSE-C; giving a hide rule back as two rules, as B2 does;
 * session tokens, the native B2 API, event notifications; `aws-chunked` bodies; reading a single part by
 * `partNumber`; several ranges in one request (S3 too answers those with the whole object); a delimiter in
 * ListMultipartUploads; file names with `.` or `..` segments reach it only from clients that do not resolve them.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Log, RunningPart } from "../stack/part.ts";
import { writeAnswer, writeRefusal } from "./answers.ts";
import { corsRulesOf } from "./bucket-operations.ts";
import type { Controlled } from "./control.ts";
import { CONTROL_PREFIX, control } from "./control.ts";
import { corsHeaders, preflightHeaders } from "./cors.ts";
import { assertEntitled } from "./entitlement.ts";
import { S3Error } from "./errors.ts";
import type { Answer, Exchange } from "./exchange.ts";
import { ConnectionCut, meetFault } from "./fault-effects.ts";
import { Faults } from "./faults.ts";
import type { LifecycleOutcome } from "./lifecycle-run.ts";
import { runLifecycle } from "./lifecycle-run.ts";
import { assertSupportedHeaders } from "./object-headers.ts";
import { OPERATIONS } from "./operations.ts";
import type { RefusalId } from "./refusals/refuse.ts";
import { refuse, withoutRules } from "./refusals/refuse.ts";
import { RequestLog } from "./request-log.ts";
import type { Target } from "./request-target.ts";
import { assertLegalKey, parseTarget, queryValue } from "./request-target.ts";
import type { OperationName } from "./routes.ts";
import { operationOf } from "./routes.ts";
import type { ApplicationKey, B2Settings } from "./settings.ts";
import { verifySignature } from "./sigv4.ts";
import { Store } from "./store.ts";

export interface RunningB2 extends RunningPart {
  address: string;
  /** The fault switches, for tests in the same process. */
  faults: Faults;
  /** Which uploads are under way and which broke off. */
  requests: RequestLog;
  /** Rules this store is to serve without, for tests of the rules. */
  lacking: Set<RefusalId>;
}

const DAY_MS = 86_400_000;

/** Serves the store. @throws when the folder cannot be opened or the port is taken. */
export async function startB2(settings: B2Settings, log: Log): Promise<RunningB2> {
  const store = await Store.open(settings.dataDir, log);
  for (const { name, lifecycleRules } of settings.buckets) {
    if (lifecycleRules.length > 0 && !store.knowsLifecycle(name)) {
      store.record({ type: "lifecycle-set", bucket: name, rules: lifecycleRules });
    }
  }
  const service = new Service(settings, store, log);
  service.runLifecycle(0);
  const daily = setInterval(() => service.runLifecycle(0), DAY_MS);
  daily.unref();
  const underWay = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const work = service.handle(request, response).finally(() => underWay.delete(work));
    underWay.add(work);
  });
  // Uploads over slow lines last longer than the five minutes Node allows by default.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.port, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    faults: service.faults,
    requests: service.requests,
    lacking: service.lacking,
    async stop() {
      clearInterval(daily);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      await Promise.allSettled(underWay);
      store.close();
    },
  };
}

class Service implements Controlled {
  readonly #settings: B2Settings;
  readonly #store: Store;
  readonly faults = new Faults();
  readonly requests: RequestLog;
  readonly lacking = new Set<RefusalId>();
  readonly #log: Log;
  readonly #keys: Map<string, ApplicationKey>;

  constructor(settings: B2Settings, store: Store, log: Log) {
    this.#settings = settings;
    this.#store = store;
    this.#log = log;
    this.requests = new RequestLog(log);
    this.#keys = new Map(settings.keys.map((key) => [key.keyId, key]));
  }

  /** Answers one request; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split("?")[0] ?? "";
    try {
      const { controlToken } = this.#settings;
      if (path.startsWith(CONTROL_PREFIX) && controlToken !== undefined) {
        const { status, body } = await control(request, path, this, controlToken);
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
        return;
      }
      const answer = await withoutRules(this.lacking, () => this.#serve(request, response));
      await writeAnswer(request, response, answer);
    } catch (error) {
      // A caller that hung up, or was cut off, hears no refusal.
      if (error instanceof ConnectionCut || response.destroyed || request.errored !== null) return;
      const refusal = error instanceof S3Error ? error : new S3Error("InternalError");
      // The query of a presigned URL is a credential: only the path is logged.
      this.#log("refused", { method: request.method, path, status: refusal.status, code: refusal.code });
      if (refusal !== error) this.#log("unexpected error", { reason: String(error) });
      writeRefusal(request, response, refusal, path);
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<Answer> {
    const target = parseTarget(request.url ?? "");
    const method = request.method ?? "";
    const headers = singleValues(request);
    this.#assertPathStyle(headers.host ?? "");
    const rules = corsRulesOf(target.bucket, this.#store, this.#settings);
    if (method === "OPTIONS") return { status: 200, headers: preflightHeaders(rules, headers) };
    for (const [name, value] of Object.entries(corsHeaders(rules, headers.origin, method))) {
      response.setHeader(name, value);
    }

    const nowMs = Date.now();
    const verified = verifySignature(
      { method, rawPath: target.rawPath, query: target.query, headers: request.headersDistinct },
      {
        region: this.#settings.region,
        nowMs,
        clockSkewSeconds: this.#settings.clockSkewSeconds,
        secretOf: (keyId) => this.#keys.get(keyId)?.applicationKey,
      },
    );
    const applicationKey = this.#keys.get(verified.keyId);
    if (applicationKey === undefined) throw new Error("a key was verified that does not exist");
    const operation = operationOf(method, target, headers["x-amz-copy-source"] !== undefined);
    this.#assertServable(operation, applicationKey, target, headers);
    const exchange: Exchange = {
      bucket: target.bucket,
      key: target.key,
      query: target.query,
      headers,
      body: request,
      payloadSha256: verified.payloadSha256,
      applicationKey,
      store: this.#store,
      settings: this.#settings,
      nowMs,
    };
    const partNumber = queryValue(target.query, "partNumber");
    const fault = this.faults.take({ operation, key: target.key, partNumber });
    if (fault !== undefined) this.#log("fault", { kind: fault.kind, operation, key: target.key });
    return this.requests.follow(operation, exchange, (followed) =>
      this.#noting(operation, followed, () =>
        fault === undefined
          ? OPERATIONS[operation](followed)
          : meetFault(fault, operation, followed, request),
      ),
    );
  }

  /** Keeps the log of uploads, where it is wanted. */
  async #noting(
    operation: OperationName,
    exchange: Exchange,
    serve: () => Promise<Answer> | Answer,
  ): Promise<Answer> {
    const isUpload = operation === "UploadPart" || operation === "PutObject";
    if (!this.#settings.uploadLog || !isUpload) return serve();
    const what = {
      operation,
      bucket: exchange.bucket,
      key: exchange.key,
      part: queryValue(exchange.query, "partNumber"),
      bytes: Number(exchange.headers["content-length"]),
    };
    this.#log("upload began", what);
    try {
      const answer = await serve();
      this.#log("upload ended", what);
      return answer;
    } catch (error) {
      this.#log("upload broke off", what);
      throw error;
    }
  }

  runLifecycle(daysLater: number): LifecycleOutcome {
    const nowMs = Date.now() + daysLater * DAY_MS;
    const outcomes = this.#settings.buckets.map(({ name }) => runLifecycle(this.#store, name, nowMs));
    const sum = (member: keyof LifecycleOutcome) =>
      outcomes.reduce((total, outcome) => total + outcome[member], 0);
    const outcome = { hidden: sum("hidden"), deleted: sum("deleted"), cancelled: sum("cancelled") };
    this.#log("lifecycle", { daysLater, ...outcome });
    return outcome;
  }

  #assertServable(
    operation: OperationName,
    key: ApplicationKey,
    target: Target,
    headers: Record<string, string | undefined>,
  ): void {
    assertLegalKey(target.key);
    assertEntitled(key, operation, target);
    if (target.bucket !== "" && !this.#settings.buckets.some(({ name }) => name === target.bucket)) {
      refuse("bucket-missing", { details: { BucketName: target.bucket } });
    }
    assertSupportedHeaders(operation, headers);
  }

  /** Host style would need a name per bucket; B2's own SDK uses path style too. */
  #assertPathStyle(host: string): void {
    const bucket = this.#settings.buckets.find(({ name }) => host.startsWith(`${name}.`));
    if (bucket === undefined) return;
    refuse("host-style", {
      message: `Host style addressing is not served here: put the bucket into the path, /${bucket.name}/<key>`,
    });
  }
}

/** One value for each header, repeated ones joined, as HTTP says they mean the same. */
function singleValues(request: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(request.headersDistinct).map(([name, values]) => [name, values?.join(", ")]),
  );
}
