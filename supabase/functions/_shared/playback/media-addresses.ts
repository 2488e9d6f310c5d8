import type { Lifetime } from "./lifetimes.ts";

/** How files are to be given. */
export interface MediaOrder {
  /** HEAD is for players that look before they play: an address for GET may refuse it. */
  method: "GET" | "HEAD";
  contentType: string;
  /** The file is saved under this name instead of being played. */
  downloadName?: string;
}

/**
 * Makes addresses under which a viewer's player gets files without asking us again. Whoever has such an address has the
 * file, until it ends. What is behind it (today B2's presigned URLs, some day a CDN that checks a token in the path) is
 * one file that makes this, chosen in the function's index.ts; nothing else knows.
 */
export interface MediaAddresses {
  /** Prepares what all addresses of one kind have in common, then gives that of one object's key after the other. */
  prepare(life: Lifetime, order: MediaOrder): (key: string) => string;
}
