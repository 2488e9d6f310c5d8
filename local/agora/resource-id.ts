import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";

const claims = z.object({
  appId: z.string(),
  cname: z.string(),
  uid: z.string(),
  scene: z.number(),
  issuedAt: z.number(),
  expiredHours: z.number(),
  startHash: z.string().nullable(),
  nonce: z.string(),
});

/** What a resourceId stands for; times are UTC ms. */
export type ResourceClaims = z.output<typeof claims>;

/**
 * Issues and reads resourceIds. They are opaque and signed, and hold everything themselves: one that was issued before a
 * restart is still good after it.
 */
export class ResourceIds {
  readonly #key: Buffer;

  constructor(secret: string) {
    this.#key = Buffer.from(hkdfSync("sha256", secret, "", "resource ids", 32));
  }

  issue(given: Omit<ResourceClaims, "nonce">): string {
    // Real ones are 250 to 400 characters long; a client that stores them in too short a column should notice here.
    const nonce = randomBytes(48).toString("base64url");
    const payload = Buffer.from(JSON.stringify({ ...given, nonce })).toString("base64url");
    return `${payload}${this.#mac(payload)}`;
  }

  /** Null when it is not one of ours. */
  read(resourceId: string): ResourceClaims | null {
    const payload = resourceId.slice(0, -43);
    const given = Buffer.from(resourceId.slice(-43));
    const right = Buffer.from(this.#mac(payload));
    if (given.length !== right.length || !timingSafeEqual(given, right)) return null;
    return claims.parse(JSON.parse(Buffer.from(payload, "base64url").toString("utf8")));
  }

  #mac(payload: string): string {
    return createHmac("sha256", this.#key).update(payload).digest("base64url");
  }
}

/** A hash of a JSON value that does not depend on the order of members: for comparing startParameter with start. */
export function requestHash(value: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(value)))
    .digest("hex");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  );
}
