import type { B2Client } from "../b2/client.ts";
import { asRecorderError, RecorderFailure } from "../errors.ts";
import type { RecorderDatabase } from "../jobs/database.ts";
import { done, type Job, type Outcome, retryAfter, type Settings } from "../jobs/job.ts";
import type { OpenTransfer } from "../jobs/transfer-calls.ts";
import type { Log } from "../log.ts";
import { copyInParts } from "./copy-in-parts.ts";
import { partBytesFor } from "./copy-plan.ts";
import { copyWhole } from "./copy-whole.ts";
import { deleteSources } from "./delete-sources.ts";
import { createSliceBudget, type SliceBudget } from "./slice-budget.ts";
import { readingSource, SourceFailure, type SourceStore } from "./source-store.ts";

/** What copying reaches the world through. */
export interface TransferDeps {
  database: Pick<
    RecorderDatabase,
    | "nextTransfers"
    | "beginUpload"
    | "recordParts"
    | "completeTransfers"
    | "verifyTransfers"
    | "restartTransfer"
    | "failTransfer"
    | "sourcesToDelete"
    | "noteSourcesDeleted"
  >;
  bucket: Pick<
    B2Client,
    | "list"
    | "head"
    | "putStream"
    | "createMultipartUpload"
    | "uploadPart"
    | "listParts"
    | "completeMultipartUpload"
    | "abortMultipartUpload"
  >;
  source: SourceStore | undefined;
  /** When the job's time is over: what is on its way then is given up. */
  limit?: AbortSignal;
  /** One transfer at a time in one invocation: they share what it may use. */
  invocation: Invocation;
  now(): number;
  log: Log;
}

/** What is common to all transfer jobs of one invocation. */
export interface Invocation {
  budget: SliceBudget | undefined;
  turn: Promise<unknown>;
}

/** What one slice knows. */
export interface Slice {
  recordingId: string;
  source: SourceStore;
  budget: SliceBudget;
  /** A worker died here before: what arrived last may not have been saved. */
  isResumed: boolean;
  parallel: number;
}

/** Rows that are fetched at once; many small ones are one slice. */
const BATCH = 200;
/** How long sources that may not be deleted (another version is there by now) are left alone. */
const KEPT_SOURCE_MS = 3_600_000;

/**
 * Copies one slice of a recording out of its source store: in order, whole objects side by side, large ones part by
 * part, each read bound to the version that was planned. What one invocation may do is bounded; the next one goes on
 * where this one ended. When the recording is recorded, its sources are deleted.
 */
export async function transferFiles(job: Job, settings: Settings, deps: TransferDeps): Promise<Outcome> {
  const mine = deps.invocation.turn.then(() => oneTurn(job, settings, deps));
  // The next one's turn comes whatever becomes of this one.
  deps.invocation.turn = mine.catch(() => undefined);
  return await mine;
}

async function oneTurn(job: Job, settings: Settings, deps: TransferDeps): Promise<Outcome> {
  const { status, id: recordingId } = job.recording;
  try {
    if (status === "recorded" || status === "expired") {
      const isWhole = await deleteSources(recordingId, deps);
      return isWhole ? done : { outcome: "snooze", afterMs: KEPT_SOURCE_MS };
    }
    if (status !== "processing") return done;
    deps.invocation.budget ??= createSliceBudget(
      {
        bytes: settings.transfer_slice_bytes ?? 104_857_600,
        requests: settings.transfer_slice_objects ?? BATCH,
        untilMs: deps.now() + (settings.transfer_slice_seconds ?? 60) * 1000,
      },
      deps.now,
    );
    return await copySlice(job, settings, deps.invocation.budget, deps);
  } catch (thrown) {
    const error = asRecorderError(thrown);
    // A wrong key or a full bucket is mended by people; what has arrived stays where it is until then.
    if (error.blame === "storage" || error.blame === "configuration") return retryAfter(error);
    throw thrown;
  }
}

async function copySlice(
  { recording, attempts }: Job,
  settings: Settings,
  budget: SliceBudget,
  deps: TransferDeps,
): Promise<Outcome> {
  let isResumed = attempts > 1;
  while (!budget.isUsedUp) {
    const open = await deps.database.nextTransfers(recording.id, BATCH);
    const [first] = open;
    if (first === undefined) return done;
    const slice: Slice = {
      recordingId: recording.id,
      source: sourceOf(first, deps),
      budget,
      isResumed,
      parallel: settings.transfer_parallel_objects ?? 6,
    };
    // A playlist follows its slices: only what has the same place in the order goes side by side.
    const together = open.filter(
      (one) =>
        one.copy_order === first.copy_order &&
        one.source_store === first.source_store &&
        (one.part_bytes === null) === (first.part_bytes === null),
    );
    const failures =
      first.part_bytes === null
        ? await copyWhole(together, slice, deps)
        : await copyInParts(first, first.part_bytes, slice, deps);
    const outcome = await settle(failures, settings, slice, deps);
    if (outcome !== undefined) return outcome;
    isResumed = false;
  }
  return { outcome: "snooze", afterMs: 0, endsInvocation: true };
}

/** An object that could not be copied, and why. */
export interface CopyFailure {
  transfer: OpenTransfer;
  thrown: unknown;
}

/**
 * Decides about objects that could not be copied: what changed or was lost is begun anew, what can never work is given
 * up alone, and what concerns all of them ends the slice.
 */
async function settle(
  failures: readonly CopyFailure[],
  settings: Settings,
  slice: Slice,
  deps: TransferDeps,
): Promise<Outcome | undefined> {
  let outcome: Outcome | undefined;
  for (const { transfer, thrown } of failures) {
    const error = asRecorderError(thrown);
    const isOfSource = thrown instanceof SourceFailure;
    if (isOfSource && (error.code === "object_changed" || error.code === "object_missing")) {
      await restartFromSource(transfer, settings, slice, deps);
      // A source that goes on changing must not keep us busy: the pause grows.
      outcome = retryAfter(error);
    } else if (!isOfSource && (error.code === "upload_missing" || error.code === "upload_parts_refused")) {
      await restart(transfer, "upload_lost", partsOf(transfer), deps);
      outcome ??= retryAfter(error);
    } else if (error.code === "copy_differs") {
      await restart(transfer, "copy_differs", partsOf(transfer), deps);
      outcome ??= retryAfter(error);
    } else if (error.blame === "us" && error.retry === "never") {
      deps.log("transfer.failed", {
        recording_id: slice.recordingId,
        code: error.code,
        detail: error.detail,
      });
      await deps.database.failTransfer(transfer.id, error);
    } else if (thrown instanceof RecorderFailure) {
      outcome ??= retryAfter(error);
    } else {
      throw thrown;
    }
  }
  return outcome;
}

async function restartFromSource(
  transfer: OpenTransfer,
  settings: Settings,
  { source }: Slice,
  deps: TransferDeps,
): Promise<void> {
  const now = await readingSource(source, () => source.store.head(transfer.source_key));
  await restart(
    transfer,
    now === undefined ? "source_missing" : "source_changed",
    now === undefined
      ? null
      : {
          source_etag: now.etag,
          source_modified_at: now.lastModified.toISOString(),
          total_bytes: now.sizeBytes,
          part_bytes: partBytesFor(now.sizeBytes, settings.transfer_part_bytes ?? 16 * 1024 * 1024),
        },
    deps,
  );
}

function partsOf({ source_etag, total_bytes, part_bytes }: OpenTransfer) {
  return { source_etag, source_modified_at: new Date(0).toISOString(), total_bytes, part_bytes };
}

async function restart(
  transfer: OpenTransfer,
  reason: Parameters<TransferDeps["database"]["restartTransfer"]>[1],
  source: Parameters<TransferDeps["database"]["restartTransfer"]>[2],
  deps: TransferDeps,
): Promise<void> {
  await deps.database.restartTransfer(transfer.id, reason, source);
  deps.log("transfer.restarted", { transfer_id: transfer.id, reason });
  if (transfer.upload_id !== null) {
    await deps.bucket.abortMultipartUpload(transfer.destination_key, transfer.upload_id);
  }
}

function sourceOf(transfer: OpenTransfer, { source }: TransferDeps): SourceStore {
  if (source?.name === transfer.source_store) return source;
  throw new RecorderFailure({
    code: "source_store_unknown",
    blame: "configuration",
    retry: "later",
    message: "The store that this recording lies in is not set up any more.",
    detail: `source store ${transfer.source_store}: set the STAGING_S3_* variables again`,
  });
}
