import type { Log } from "../stack/part.ts";
import type { Exchange } from "./exchange.ts";
import { queryValue } from "./request-target.ts";
import type { OperationName } from "./routes.ts";

/** A request that brings bytes, as far as it has come. */
export interface Upload {
  operation: OperationName;
  key: string;
  partNumber?: number;
  /** Of the body, as promised. */
  sizeBytes: number;
  receivedBytes: number;
}

const REMEMBERED = 1_000;

/** Which uploads are under way and which broke off: what a test that kills a sender has to know. */
export class RequestLog {
  readonly #log: Log;
  readonly #underWay = new Set<Upload>();
  #brokenOff: Upload[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  underWay(): readonly Upload[] {
    return [...this.#underWay];
  }

  /** The last uploads whose sender went away before the last byte had come, oldest first. */
  brokenOff(): readonly Upload[] {
    return this.#brokenOff;
  }

  /** Runs an operation, following the body it reads. */
  async follow<T>(
    operation: OperationName,
    exchange: Exchange,
    run: (followed: Exchange) => T,
  ): Promise<Awaited<T>> {
    const sizeBytes = Number(exchange.headers["content-length"] ?? 0);
    if (sizeBytes === 0) return await run(exchange);
    const partNumber = queryValue(exchange.query, "partNumber");
    const upload: Upload = {
      operation,
      key: exchange.key,
      ...(partNumber === undefined ? {} : { partNumber: Number(partNumber) }),
      sizeBytes,
      receivedBytes: 0,
    };
    async function* counted(): AsyncGenerator<Buffer> {
      for await (const chunk of exchange.body) {
        upload.receivedBytes += chunk.length;
        yield chunk;
      }
    }
    this.#underWay.add(upload);
    try {
      return await run({ ...exchange, body: counted() });
    } catch (error) {
      if (upload.receivedBytes < sizeBytes) {
        this.#brokenOff = [...this.#brokenOff.slice(1 - REMEMBERED), upload];
        this.#log("broken off", { ...upload });
      }
      throw error;
    } finally {
      this.#underWay.delete(upload);
    }
  }
}
