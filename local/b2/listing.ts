import type { ObjectIndex } from "./object-index.ts";
import { compareKeys, partition } from "./object-index.ts";
import type { ObjectVersion, Version } from "./records.ts";

/** What a listing is narrowed to. */
export interface Selection {
  prefix: string;
  /** Names that share everything up to this text behind the prefix are folded into one common prefix; "" folds none. */
  delimiter: string;
  /** List only what comes after this name. */
  after?: string | undefined;
  /** Names beginning with this were already told as a common prefix. */
  told?: string | undefined;
}

export interface Page<Item> {
  items: Item[];
  commonPrefixes: string[];
  truncated: boolean;
  /** The last name or common prefix on the page: where the next page goes on. */
  last?: { name: string; isPrefix: boolean };
}

type Entry = { kind: "key"; key: string } | { kind: "prefix"; prefix: string };

/** Walks sorted names within a selection, folding common prefixes. Names that are not `visible` do not exist. */
function* walk(
  keys: readonly string[],
  selection: Selection & { from?: string | undefined },
  visible: (key: string) => boolean,
): Generator<Entry> {
  const { prefix, delimiter, after, told, from } = selection;
  let position = partition(
    keys,
    (key) =>
      compareKeys(key, prefix) < 0 ||
      (after !== undefined && compareKeys(key, after) <= 0) ||
      (from !== undefined && compareKeys(key, from) < 0),
  );
  while (position < keys.length) {
    const key = keys[position] ?? "";
    if (!key.startsWith(prefix)) return;
    if (told !== undefined && key.startsWith(told)) {
      position = behind(keys, told);
      continue;
    }
    position += 1;
    if (!visible(key)) continue;
    const fold = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    if (fold === -1) {
      yield { kind: "key", key };
    } else {
      const common = key.slice(0, fold + delimiter.length);
      yield { kind: "prefix", prefix: common };
      position = behind(keys, common);
    }
  }
}

function behind(keys: readonly string[], prefix: string): number {
  return partition(keys, (key) => compareKeys(key, prefix) < 0 || key.startsWith(prefix));
}

/** A page of current objects: names whose newest version is no delete marker. */
export function listObjects(index: ObjectIndex, selection: Selection, limit: number): Page<ObjectVersion> {
  const page: Page<ObjectVersion> = { items: [], commonPrefixes: [], truncated: false };
  const current = (key: string) => {
    const latest = index.latest(key);
    return latest === undefined || latest.marker ? undefined : latest;
  };
  for (const entry of walk(index.keys(), selection, (key) => current(key) !== undefined)) {
    if (isFull(page, limit)) break;
    if (entry.kind === "prefix") takePrefix(page, entry.prefix);
    else {
      const version = current(entry.key);
      if (version === undefined) continue;
      page.items.push(version);
      page.last = { name: entry.key, isPrefix: false };
    }
  }
  return page;
}

export interface ListedVersion {
  version: Version;
  isLatest: boolean;
}

/**
 * A page of versions and delete markers, newest first within a name. `afterVersion` continues inside the name
 * `selection.after`; a version that was deleted meanwhile means the rest of that name is listed from its start.
 */
export function listVersions(
  index: ObjectIndex,
  selection: Selection,
  afterVersion: string | undefined,
  limit: number,
): Page<ListedVersion> {
  const page: Page<ListedVersion> = { items: [], commonPrefixes: [], truncated: false };
  const { after, ...rest } = selection;
  const start = afterVersion === undefined ? selection : { ...rest, from: after };
  for (const entry of walk(index.keys(), start, () => true)) {
    if (entry.kind === "prefix") {
      if (isFull(page, limit)) break;
      takePrefix(page, entry.prefix);
      continue;
    }
    const versions = index.versionsOf(entry.key);
    const resumed =
      entry.key === after ? versions.findIndex(({ versionId }) => versionId === afterVersion) + 1 : 0;
    for (const [position, version] of versions.entries()) {
      if (position < resumed) continue;
      if (isFull(page, limit)) return page;
      page.items.push({ version, isLatest: position === 0 });
      page.last = { name: entry.key, isPrefix: false };
    }
  }
  return page;
}

/** Whether nothing more fits; that there was something more is what `truncated` says. */
function isFull(page: Page<unknown>, limit: number): boolean {
  if (page.items.length + page.commonPrefixes.length < limit) return false;
  // A page of nothing has nowhere to go on from, so S3 calls it complete.
  page.truncated = limit > 0;
  return true;
}

function takePrefix(page: Page<unknown>, prefix: string): void {
  page.commonPrefixes.push(prefix);
  page.last = { name: prefix, isPrefix: true };
}
