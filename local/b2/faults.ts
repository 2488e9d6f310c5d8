import { createHash } from "node:crypto";
import { z } from "zod";
import type { OperationName } from "./routes.ts";

/** What can happen to a request that would otherwise be served. What each does: fault-effects.ts. */
export const FAULT_KINDS = [
  "slow-down",
  "too-many-requests",
  "no-tomes",
  "internal-error",
  "bad-gateway",
  "gateway-timeout",
  "request-timeout",
  "unauthorized",
  "key-deleted",
  "signature-refused",
  "access-denied",
  "length-required",
  "transaction-cap",
  "storage-cap",
  "download-cap",
  "error-in-200",
  "connection-reset",
  "truncated",
  "lost-reply",
  "wrong-etag",
  "delay",
  "slow",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** How a fault behaves, where its kind has something to choose. */
const manner = {
  /** Seconds of `Retry-After` on `slow-down` and `too-many-requests`. */
  retryAfterSeconds: z.int().min(0).default(1),
  delayMs: z.int().min(0).max(600_000).default(1000),
  /** Bytes of body, sent or received, that pass before `connection-reset` or `truncated`. */
  afterBytes: z.int().min(0).default(0),
  /** The pace of `slow`, of a body sent or received. */
  bytesPerSecond: z.int().min(1).default(65_536),
};

/** A fault to come: which requests it meets, and how often. */
export const faultSchema = z.strictObject({
  kind: z.enum(FAULT_KINDS),
  /** How many matching requests it meets. */
  times: z.int().min(1).default(1),
  /** Only this operation, by S3's name; absent means every one. */
  operation: z.string().optional(),
  /** Only file names that contain this text. */
  keyContains: z.string().optional(),
  ...manner,
});
export type Fault = z.output<typeof faultSchema>;
export type FaultInput = z.input<typeof faultSchema>;

/**
 * Faults by chance, the same for the same seed. What meets a request depends on nothing but the seed, the request
 * (operation, name, part) and how often it came, so neither time nor the order of parallel requests changes it.
 */
export const stormSchema = z.strictObject({
  seed: z.union([z.string().min(1), z.int()]).transform(String),
  /** Of the matching requests, from 0 to 1. */
  share: z.number().min(0).max(1),
  kinds: z.array(z.enum(FAULT_KINDS)).min(1),
  operations: z.array(z.string()).optional(),
  keyContains: z.string().optional(),
  /** A request that was met this often in a row is served, so that a patient caller gets through. */
  mostInARow: z.int().min(1).default(2),
  ...manner,
});
export type Storm = z.output<typeof stormSchema>;
export type StormInput = z.input<typeof stormSchema>;

/** A request as faults see it. */
export interface Met {
  operation: OperationName;
  key: string;
  partNumber?: string | undefined;
}

/** Enough to retell a long test, and no growth without end. */
const REMEMBERED = 1_000;

/** The fault switches of a running store. Faults meet only requests that would otherwise be served. */
export class Faults {
  #pending: Fault[] = [];
  #storm: Storm | undefined;
  #met: (Met & { kind: FaultKind })[] = [];
  readonly #seen = new Map<string, { times: number; inARow: number }>();

  /** Adds a fault behind those already waiting. @throws ZodError when it is none. */
  add(fault: FaultInput): void {
    this.#pending.push(faultSchema.parse(fault));
  }

  /** Begins a storm in place of an earlier one. @throws ZodError when it is none. */
  begin(storm: StormInput): void {
    this.#storm = stormSchema.parse(storm);
    this.#seen.clear();
  }

  /** Ends the storm and forgets what was to come; what was met is kept. */
  clear(): void {
    this.#pending = [];
    this.#storm = undefined;
  }

  /** Faults still to come, each with the number of requests it will yet meet. */
  pending(): readonly Fault[] {
    return this.#pending;
  }

  storm(): Storm | undefined {
    return this.#storm;
  }

  /** The last requests that met a fault, oldest first. */
  met(): readonly (Met & { kind: FaultKind })[] {
    return this.#met;
  }

  /** The fault this request meets, which is thereby used up once. */
  take(request: Met): Fault | undefined {
    const fault = this.#switched(request) ?? this.#drawn(request);
    if (fault !== undefined)
      this.#met = [...this.#met.slice(1 - REMEMBERED), { ...request, kind: fault.kind }];
    return fault;
  }

  #switched({ operation, key }: Met): Fault | undefined {
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

  #drawn({ operation, key, partNumber }: Met): Fault | undefined {
    const storm = this.#storm;
    if (storm === undefined || !key.includes(storm.keyContains ?? "")) return undefined;
    if (storm.operations !== undefined && !storm.operations.includes(operation)) return undefined;
    const name = JSON.stringify([storm.seed, operation, key, partNumber ?? ""]);
    const seen = this.#seen.get(name) ?? { times: 0, inARow: 0 };
    const drawn = createHash("sha256").update(`${name}#${seen.times}`).digest();
    seen.times += 1;
    this.#seen.set(name, seen);
    if (seen.inARow >= storm.mostInARow || drawn.readUInt32BE(0) / 2 ** 32 >= storm.share) {
      seen.inARow = 0;
      return undefined;
    }
    seen.inARow += 1;
    const kind = storm.kinds[drawn.readUInt32BE(4) % storm.kinds.length];
    if (kind === undefined) return undefined;
    const { retryAfterSeconds, delayMs, afterBytes, bytesPerSecond } = storm;
    return { kind, times: 1, retryAfterSeconds, delayMs, afterBytes, bytesPerSecond };
  }
}
