import pLimit from "p-limit";
import type postgres from "postgres";
import { z } from "zod";
import type { B2Client } from "../../supabase/functions/_shared/b2/client.ts";
import { asRecorderError } from "../../supabase/functions/_shared/errors.ts";
import { manifestKey, RECORDINGS_PREFIX } from "../../supabase/functions/_shared/recording-folder.ts";
import { readManifest } from "../../supabase/functions/_shared/storage/manifest.ts";
import type { Manifest } from "../../supabase/functions/_shared/storage/manifest-form.ts";

/** What became of one folder, or would become of it. */
export interface Rebuilt {
  folder: string;
  outcome: "created" | "agrees" | "differs" | "refused" | "no_manifest" | "foreign";
  /** Members that are lost or differ, the reason of a refusal, how many named files are not there. */
  words: string;
}

interface RebuildDeps {
  bucket: Pick<B2Client, "list" | "getText">;
  /** As `postgres`. */
  sql: postgres.Sql;
}

const answer = z.object({ outcome: z.enum(["created", "agrees", "differs"]), members: z.array(z.string()) });

/** Reads from the bucket at once; the database is asked one after the other. */
const READS_AT_ONCE = 8;

/**
 * Makes the rows of recordings again from the manifests of a bucket, folder by folder. Without `apply` every
 * transaction is rolled back: what is told is what would be done. A row that exists is never written; what is no
 * manifest is refused and named. May be repeated. Throws where bucket or database cannot be used at all.
 */
export async function* rebuild(
  { apply }: { apply: boolean },
  deps: RebuildDeps,
): AsyncGenerator<Rebuilt, void, undefined> {
  const limit = pLimit(READS_AT_ONCE);
  for await (const { prefixes, objects } of deps.bucket.list(RECORDINGS_PREFIX, { delimiter: "/" })) {
    for (const { key } of objects) yield { folder: key, outcome: "foreign", words: "not in a folder" };
    const reads = prefixes.map((folder) => limit(() => look(folder, deps)));
    for (const read of reads) {
      const found = await read;
      yield "outcome" in found ? found : await writeRows(found, apply, deps);
    }
  }
}

interface Found {
  folder: string;
  manifest: Manifest;
  storedBytes: number;
  /** Files and slices that the manifest names and the bucket has not. */
  missing: number;
}

async function look(folder: string, { bucket }: RebuildDeps): Promise<Found | Rebuilt> {
  const hex = /^recordings\/([0-9a-f]{32})\/$/.exec(folder)?.[1];
  if (hex === undefined) return { folder, outcome: "foreign", words: "not the folder of a recording" };
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  const sizes = new Map<string, number>();
  for await (const { objects } of bucket.list(folder)) {
    for (const { key, sizeBytes } of objects) sizes.set(key, sizeBytes);
  }
  if (!sizes.has(manifestKey(id))) {
    return {
      folder,
      outcome: "no_manifest",
      words: `${sizes.size} objects; never published, or half deleted`,
    };
  }
  try {
    const manifest = await readManifest(id, bucket);
    const named = [...manifest.files, ...manifest.segments];
    return {
      folder,
      manifest,
      storedBytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
      missing: named.filter(({ object_key }) => !sizes.has(object_key)).length,
    };
  } catch (thrown) {
    const { code, message } = asRecorderError(thrown);
    if (code !== "playlist_unreadable" && code !== "object_too_large") throw thrown;
    return { folder, outcome: "refused", words: `${manifestKey(id)} is no manifest: ${message}` };
  }
}

async function writeRows(
  { folder, manifest, storedBytes, missing }: Found,
  apply: boolean,
  { sql }: RebuildDeps,
): Promise<Rebuilt> {
  const lost = missing === 0 ? "" : `${missing} of the files it names are not there`;
  try {
    const { outcome, members } = await inTransaction(sql, apply, async (transaction) => {
      const [row] = await transaction`
        select recorder.rebuild_recording(${transaction.json(manifest)}, ${storedBytes}) as told`;
      return answer.parse(row?.told);
    });
    const about =
      outcome === "created" && members.length > 0 ? `lost: ${members.join(", ")}` : members.join(", ");
    return { folder, outcome, words: [about, lost].filter(Boolean).join("; ") };
  } catch (thrown) {
    // A manifest of a form that the rows do not take, such as a quality that no longer exists: the others go on.
    if (!isRefusalOfTheRow(thrown)) throw thrown;
    return { folder, outcome: "refused", words: thrown.message };
  }
}

/** Integrity constraints (class 23) and malformed data (22). */
function isRefusalOfTheRow(thrown: unknown): thrown is Error {
  return thrown instanceof Error && "code" in thrown && /^2[23]/.test(String(thrown.code));
}

class RolledBack<T> extends Error {
  readonly value: T;
  constructor(value: T) {
    super("rolled back");
    this.value = value;
  }
}

async function inTransaction<T>(
  sql: postgres.Sql,
  isKept: boolean,
  act: (transaction: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  let outcome: RolledBack<T> | undefined;
  try {
    await sql.begin(async (transaction) => {
      outcome = new RolledBack(await act(transaction));
      if (!isKept) throw outcome;
    });
  } catch (thrown) {
    if (thrown !== outcome) throw thrown;
  }
  if (outcome === undefined) throw new Error("the transaction gave nothing");
  return outcome.value;
}
