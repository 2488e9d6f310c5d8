import { z } from "zod";
import { S3Error } from "./errors.ts";
import type { OperationName } from "./routes.ts";

/** A fault to come: which requests it meets, how often, and what happens to them. */
export const faultSchema = z.strictObject({
  /**
   * `slow-down`, `no-tomes`, `internal-error` and the three caps refuse as B2 does (messages as reported by its
   * users). `connection-reset` cuts the connection after `afterBytes` of the body, sent or received. `lost-reply` does
   * what was asked and never says so. `delay` waits `delayMs` and then serves.
   */
  kind: z.enum([
    "slow-down",
    "no-tomes",
    "internal-error",
    "transaction-cap",
    "storage-cap",
    "download-cap",
    "connection-reset",
    "lost-reply",
    "delay",
  ]),
  /** How many matching requests it meets. */
  times: z.int().min(1).default(1),
  /** Only this operation, by S3's name; absent means every one. */
  operation: z.string().optional(),
  /** Only file names that contain this text. */
  keyContains: z.string().optional(),
  /** Seconds of `Retry-After` on `slow-down`. */
  retryAfterSeconds: z.int().min(0).default(1),
  delayMs: z.int().min(0).max(600_000).default(1000),
  /** Bytes of body that pass before `connection-reset`. */
  afterBytes: z.int().min(0).default(0),
});
export type Fault = z.output<typeof faultSchema>;
export type FaultInput = z.input<typeof faultSchema>;

const CAP_MESSAGES = {
  "transaction-cap": "Transaction cap exceeded, see the Caps & Alerts page to increase your cap",
  "storage-cap":
    "Cannot upload files, storage cap exceeded. See the Caps & Alerts page to increase your cap.",
  "download-cap":
    "Cannot download file, download bandwidth or transaction (Class B) cap exceeded. See the Caps & Alerts page to increase your cap.",
} as const;

/** The fault switches of a running store. Faults meet only requests that would otherwise be served. */
export class Faults {
  #pending: Fault[] = [];

  /** Adds a fault behind those already waiting. @throws ZodError when it is none. */
  add(fault: FaultInput): void {
    this.#pending.push(faultSchema.parse(fault));
  }

  clear(): void {
    this.#pending = [];
  }

  /** Faults still to come, each with the number of requests it will yet meet. */
  pending(): readonly Fault[] {
    return this.#pending;
  }

  /** The fault this request meets, which is thereby used up once. */
  take(operation: OperationName, key: string): Fault | undefined {
    const fault = this.#pending.find(
      (candidate) =>
        (candidate.operation ?? operation) === operation && key.includes(candidate.keyContains ?? ""),
    );
    if (fault === undefined) return undefined;
    this.#pending = this.#pending.flatMap((candidate) => {
      if (candidate !== fault) return [candidate];
      return fault.times > 1 ? [{ ...fault, times: fault.times - 1 }] : [];
    });
    return fault;
  }
}

/** The refusal a fault consists of; undefined for faults that are none. The `Code` of caps at B2 is not known. */
export function refusalOf(fault: Fault): S3Error | undefined {
  switch (fault.kind) {
    case "slow-down":
      return new S3Error("SlowDown", undefined, {
        headers: { "retry-after": String(fault.retryAfterSeconds) },
      });
    case "no-tomes":
      return new S3Error("ServiceUnavailable");
    case "internal-error":
      return new S3Error("InternalError");
    case "transaction-cap":
    case "storage-cap":
    case "download-cap":
      return new S3Error("AccessDenied", CAP_MESSAGES[fault.kind]);
    default:
      return undefined;
  }
}

/** Lets `limit` bytes pass, then calls `cut`, which throws. A shorter stream is cut at its end. */
export async function* cutAfter(
  stream: AsyncIterable<Buffer>,
  limit: number,
  cut: () => never,
): AsyncGenerator<Buffer> {
  let left = limit;
  for await (const chunk of stream) {
    if (chunk.length >= left) {
      if (left > 0) yield chunk.subarray(0, left);
      cut();
    }
    left -= chunk.length;
    yield chunk;
  }
  cut();
}
