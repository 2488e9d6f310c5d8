import type { Version } from "./records.ts";

/** Orders file names by their UTF-8 bytes, as S3 lists them, without encoding them. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [unitA, unitB] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (unitA === unitB) continue;
    // UTF-16 puts surrogates (characters beyond U+FFFF) before U+E000–U+FFFF; UTF-8 puts them last.
    const [lateA, lateB] = [isSurrogate(unitA), isSurrogate(unitB)];
    return lateA === lateB ? unitA - unitB : lateA ? 1 : -1;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** The versions of one bucket in memory: found by name at once, listed in order. */
export class ObjectIndex {
  /** Newest version first. */
  readonly #versions = new Map<string, Version[]>();
  #keys: string[] = [];
  #sorted = true;

  /** Adds the newest version of a key. */
  add(version: Version): void {
    const existing = this.#versions.get(version.key);
    if (existing !== undefined) {
      existing.unshift(version);
      return;
    }
    this.#versions.set(version.key, [version]);
    const last = this.#keys.at(-1);
    // Sorting waits for the next listing: a run of uploads costs one sort, and names that arrive in order none.
    if (last !== undefined && compareKeys(last, version.key) > 0) this.#sorted = false;
    this.#keys.push(version.key);
  }

  /** Removes one version for good and returns it. */
  remove(key: string, versionId: string): Version | undefined {
    const versions = this.#versions.get(key);
    const position = versions?.findIndex((version) => version.versionId === versionId) ?? -1;
    if (versions === undefined || position === -1) return undefined;
    const [removed] = versions.splice(position, 1);
    if (versions.length === 0) {
      this.#versions.delete(key);
      this.#keys.splice(this.firstAtOrAfter(key), 1);
    }
    return removed;
  }

  /** Newest first; empty for a name that does not exist. */
  versionsOf(key: string): readonly Version[] {
    return this.#versions.get(key) ?? [];
  }

  /** The newest version, which may be a delete marker. */
  latest(key: string): Version | undefined {
    return this.#versions.get(key)?.[0];
  }

  /** All names in the order S3 lists them. */
  keys(): readonly string[] {
    if (!this.#sorted) {
      this.#keys.sort(compareKeys);
      this.#sorted = true;
    }
    return this.#keys;
  }

  /** Position of the first name that is not before `key`. */
  firstAtOrAfter(key: string): number {
    return partition(this.keys(), (candidate) => compareKeys(candidate, key) < 0);
  }

  /** Every version of every name; the oldest of a name first, so that replaying them gives the same order. */
  *all(): Generator<Version> {
    for (const key of this.keys()) yield* this.versionsOf(key).toReversed();
  }
}

/** How many leading items satisfy a condition that holds for a first stretch and never after it. */
export function partition<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(items[middle] as Item)) low = middle + 1;
    else high = middle;
  }
  return low;
}
