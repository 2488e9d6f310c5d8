import type { B2Client } from "../b2/client.ts";
import { asRecorderError } from "../errors.ts";
import type { RecorderDatabase } from "../jobs/database.ts";
import { done, type Outcome, retryAfter, type Settings } from "../jobs/job.ts";
import type { Log } from "../log.ts";
import { RECORDINGS_PREFIX } from "../recording-folder.ts";
import { readManifest } from "../storage/manifest.ts";
import { orphanUploads } from "../storage/orphan-uploads.ts";
import type { RecordingFacts } from "./facts.ts";
import { type Folder, foldersOf } from "./folders.ts";
import {
  isShortOfSlices,
  type Judgement,
  judge,
  judgeSource,
  type NamedSlice,
  type Remedy,
} from "./judge.ts";

/** What the audit reaches the world through. */
export interface AuditDeps {
  database: Pick<
    RecorderDatabase,
    | "beginAudit"
    | "auditFacts"
    | "saveAudit"
    | "markRepaired"
    | "repairRecording"
    | "finishAudit"
    | "openUploads"
  >;
  bucket: Pick<
    B2Client,
    "listVersions" | "deleteVersions" | "listMultipartUploads" | "abortMultipartUpload" | "getText"
  >;
  /** The store that the engine writes into, where that is not our bucket: walked when our bucket has been. */
  source: { name: string; store: Pick<B2Client, "listVersions"> } | undefined;
  now(): number;
  log: Log;
}

/** What stands before the place that was reached in a source store; no key of ours begins so. */
const IN_SOURCE = "source:";
/** A slice ends with the first folder that is whole after so many versions: five pages of a list, a second of CPU. */
const SLICE_VERSIONS = 5_000;
/** As many recordings as one answer of the database carries; folders of a slice are never more. */
const SLICE_RECORDINGS = 500;
/** Recordings after the last folder of the bucket are compared with nothing up to here. */
const LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** How far a slice came. */
interface Slice {
  folders: Folder[];
  /** Whether the listing of the bucket has ended. */
  isEnd: boolean;
}

/**
 * One slice of the audit: folders of the bucket and rows, both in order of recordings, from where the last slice ended.
 * What was found is saved together with how far it came, then mended where that can do no harm; a run that dies repeats
 * at most its slice. After the last slice come the unfinished uploads.
 */
export async function auditBucket(settings: Settings, deps: AuditDeps): Promise<Outcome> {
  try {
    const isOver = await auditSlice(settings, deps);
    return isOver ? done : { outcome: "snooze", afterMs: 0 };
  } catch (thrown) {
    const error = asRecorderError(thrown);
    if (error.blame !== "storage" && error.blame !== "configuration") throw thrown;
    return retryAfter(error);
  }
}

async function auditSlice(settings: Settings, deps: AuditDeps): Promise<boolean> {
  const { database, source } = deps;
  const audit = await database.beginAudit();
  if (source !== undefined && audit.after_key?.startsWith(IN_SOURCE)) {
    return await sourceSlice(audit, source, deps);
  }
  const listedAtMs = deps.now();
  const slice = await takeSlice(audit.after_key, deps.bucket);

  // Up to which recording both sides are known.
  const ids = slice.folders.flatMap(({ recordingId }) => recordingId ?? []);
  const range = { after: audit.after_id, upTo: slice.isEnd ? LAST_ID : (ids.at(-1) ?? null) };
  const rows = await database.auditFacts(range, ids, SLICE_RECORDINGS);
  const lastRow = rows.length < SLICE_RECORDINGS ? undefined : rows.at(-1)?.id;
  const cut = slice.folders.findIndex(({ recordingId }) => {
    return recordingId !== undefined && lastRow !== undefined && recordingId > lastRow;
  });
  const folders = cut === -1 ? slice.folders : slice.folders.slice(0, cut);
  const isOver = slice.isEnd && lastRow === undefined;

  const judgements = await judgeAll(folders, rows, listedAtMs, deps);
  if (isOver) judgements.push(...(await judgeUploads(settings, deps)));
  await saveAndMend(audit.audit_id, judgements, deps, {
    afterKey: isOver && source !== undefined ? IN_SOURCE : (folders.at(-1)?.end ?? audit.after_key),
    afterId: lastRow ?? range.upTo ?? audit.after_id,
    counts: {
      recordings: rows.length,
      versions: folders.reduce((sum, folder) => sum + folder.versions, 0),
      bytes: folders.reduce((sum, folder) => sum + folder.bytes, 0),
    },
  });
  if (!isOver || source !== undefined) return false;
  await finish(audit.audit_id, deps);
  return true;
}

/** The same for folders of the source store: only what lies there is compared, since nothing has to. */
async function sourceSlice(
  audit: Awaited<ReturnType<AuditDeps["database"]["beginAudit"]>>,
  { name, store }: NonNullable<AuditDeps["source"]>,
  deps: AuditDeps,
): Promise<boolean> {
  const listedAtMs = deps.now();
  const after = audit.after_key?.slice(IN_SOURCE.length) ?? "";
  const { folders, isEnd } = await takeSlice(after === "" ? null : after, store);
  const ids = folders.flatMap(({ recordingId }) => recordingId ?? []);
  const rows =
    ids.length === 0
      ? []
      : await deps.database.auditFacts({ after: null, upTo: null }, ids, SLICE_RECORDINGS);
  const byId = new Map(rows.map((row) => [row.id, row]));
  const judgements = folders.flatMap((folder) =>
    judgeSource(folder, byId.get(folder.recordingId ?? ""), listedAtMs, name),
  );
  await saveAndMend(audit.audit_id, judgements, deps, {
    afterKey: `${IN_SOURCE}${folders.at(-1)?.end ?? after}`,
    afterId: audit.after_id,
    counts: {
      recordings: 0,
      versions: folders.reduce((sum, folder) => sum + folder.versions, 0),
      bytes: folders.reduce((sum, folder) => sum + folder.bytes, 0),
    },
  });
  if (isEnd) await finish(audit.audit_id, deps);
  return isEnd;
}

async function finish(auditId: string, { database, log }: AuditDeps): Promise<void> {
  const resolved = await database.finishAudit(auditId);
  log("audit.finished", { resolved });
}

async function takeSlice(afterKey: string | null, bucket: Pick<B2Client, "listVersions">): Promise<Slice> {
  const folders: Folder[] = [];
  let versions = 0;
  const options = afterKey === null ? {} : { startAfter: afterKey };
  for await (const folder of foldersOf(bucket.listVersions(RECORDINGS_PREFIX, options))) {
    folders.push(folder);
    versions += folder.versions;
    if (versions >= SLICE_VERSIONS || folders.length >= SLICE_RECORDINGS) return { folders, isEnd: false };
  }
  return { folders, isEnd: true };
}

async function judgeAll(
  folders: readonly Folder[],
  rows: readonly RecordingFacts[],
  listedAtMs: number,
  deps: AuditDeps,
): Promise<Judgement[]> {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const judgements: Judgement[] = [];
  for (const folder of folders) {
    const row = folder.recordingId === undefined ? undefined : byId.get(folder.recordingId);
    if (row !== undefined) byId.delete(row.id);
    judgements.push(...judge(folder, row, listedAtMs, await slicesInDoubt(folder, row, deps)));
  }
  // What is left has no folder in the bucket.
  for (const row of byId.values()) judgements.push(...judge(undefined, row, listedAtMs));
  return judgements;
}

/** Read only where slices seem to be lost: a manifest for each recording every night would cost more than it tells. */
async function slicesInDoubt(
  folder: Folder,
  row: RecordingFacts | undefined,
  { bucket, log }: AuditDeps,
): Promise<NamedSlice[]> {
  if (row?.status !== "recorded" || !isShortOfSlices(folder, row)) return [];
  try {
    const { segments } = await readManifest(row.id, bucket);
    return segments.map(({ object_key, size_bytes }) => ({ key: object_key, sizeBytes: size_bytes }));
  } catch (thrown) {
    const { code } = asRecorderError(thrown);
    // Missing, hidden or no manifest: that is a finding of its own, and the attempt is named instead of its slices.
    if (code !== "object_missing" && code !== "playlist_unreadable" && code !== "object_too_large")
      throw thrown;
    log("audit.manifest_unreadable", { recording_id: row.id, code });
    return [];
  }
}

async function judgeUploads(settings: Settings, { bucket, database, now }: AuditDeps): Promise<Judgement[]> {
  const listed = [];
  for await (const { uploads } of bucket.listMultipartUploads(RECORDINGS_PREFIX)) listed.push(...uploads);
  if (listed.length === 0) return [];
  const oldestMs = (settings.orphan_upload_age ?? 86_400) * 1000;
  const orphans = orphanUploads(listed, await database.openUploads(), now(), oldestMs);
  const known = new Map<string, RecordingFacts>();
  const ids = [...new Set(orphans.flatMap(({ key }) => idOfKey(key) ?? []))];
  for (let at = 0; at < ids.length; at += SLICE_RECORDINGS) {
    const some = ids.slice(at, at + SLICE_RECORDINGS);
    for (const row of await database.auditFacts({ after: null, upTo: null }, some, SLICE_RECORDINGS)) {
      known.set(row.id, row);
    }
  }
  return orphans.flatMap(({ key, uploadId, initiated }): Judgement[] => {
    const row = known.get(idOfKey(key) ?? "");
    // The engine itself may still be writing, or bring what it held back.
    if (row !== undefined && !["recorded", "failed", "expired"].includes(row.status)) return [];
    const finding = {
      kind: "orphan_upload" as const,
      key: uploadId,
      recording_id: row?.id ?? null,
      detail: { object_key: key, initiated_at: initiated.toISOString() },
    };
    return [row === undefined ? { finding } : { finding, remedy: { do: "abort_upload", key, uploadId } }];
  });
}

function idOfKey(key: string): string | undefined {
  const hex = /^recordings\/([0-9a-f]{32})\//.exec(key)?.[1];
  return hex?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

async function saveAndMend(
  auditId: string,
  judgements: readonly Judgement[],
  deps: AuditDeps,
  reached: Parameters<RecorderDatabase["saveAudit"]>[2],
): Promise<void> {
  const nameOf = ({ kind, key }: { kind: string; key: string }) => `${kind} ${key}`;
  // A folder whose keys sort oddly may be met twice; the last look holds.
  const byName = new Map(judgements.map((judgement) => [nameOf(judgement.finding), judgement]));
  const findings = [...byName.values()].map(({ finding }) => finding);
  const saved = await deps.database.saveAudit(auditId, findings, reached);
  for (const { kind, key, id } of saved) {
    const judgement = byName.get(nameOf({ kind, key }));
    if (judgement === undefined) continue;
    const { remedy, finding } = judgement;
    const isRepaired = remedy !== undefined && (await mend(remedy, deps));
    if (isRepaired) await deps.database.markRepaired(id);
    deps.log("audit.found", { kind, key, recording_id: finding.recording_id, repaired: isRepaired });
  }
}

async function mend(remedy: Remedy, { bucket, database }: AuditDeps): Promise<boolean> {
  switch (remedy.do) {
    case "delete_versions": {
      for (let at = 0; at < remedy.versions.length; at += 1_000) {
        const { failed } = await bucket.deleteVersions(remedy.versions.slice(at, at + 1_000));
        if (failed.length > 0) return false;
      }
      return true;
    }
    case "abort_upload":
      await bucket.abortMultipartUpload(remedy.key, remedy.uploadId);
      return true;
    case "delete_leftovers":
      return await database.repairRecording(remedy.recordingId, "expired_left");
    case "delete_sources":
      return await database.repairRecording(remedy.recordingId, "source_left");
    case "collect_again":
      return await database.repairRecording(remedy.recordingId, "late_files");
  }
}
