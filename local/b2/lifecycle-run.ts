import type { LifecycleRule } from "./lifecycle-rule.ts";
import type { Version } from "./records.ts";
import type { Store } from "./store.ts";
import { newFileId } from "./version-ids.ts";

export interface LifecycleOutcome {
  hidden: number;
  deleted: number;
  cancelled: number;
}

const DAY_MS = 86_400_000;

/**
 * Does what a bucket's rules ask for, as if it were `nowMs`; B2 does it about once a day. Rules that delete also take
 * delete markers that nothing is left behind ("Lifecycle Rules").
 */
export function runLifecycle(store: Store, bucket: string, nowMs: number): LifecycleOutcome {
  const run: Run = { store, bucket, nowMs, outcome: { hidden: 0, deleted: 0, cancelled: 0 } };
  for (const rule of store.lifecycle(bucket).filter(({ enabled }) => enabled)) {
    cancelUploads(run, rule);
    const keys = store
      .index(bucket)
      .keys()
      .filter((key) => key.startsWith(rule.prefix));
    for (const key of keys) {
      hide(run, rule, key);
      deleteHidden(run, rule, key);
    }
  }
  return run.outcome;
}

interface Run {
  store: Store;
  bucket: string;
  nowMs: number;
  outcome: LifecycleOutcome;
}

function cancelUploads({ store, bucket, nowMs, outcome }: Run, rule: LifecycleRule) {
  for (const { key, uploadId, startedMs } of store.uploadsOf(bucket)) {
    if (!key.startsWith(rule.prefix) || !isOver(startedMs, rule.abortIncompleteDays, nowMs)) continue;
    store.record({ type: "upload-aborted", uploadId });
    outcome.cancelled += 1;
  }
}

function hide({ store, bucket, nowMs, outcome }: Run, rule: LifecycleRule, key: string) {
  const latest = store.index(bucket).latest(key);
  if (latest === undefined || latest.marker || !isOver(latest.modifiedMs, rule.expirationDays, nowMs)) return;
  const version: Version = { marker: true, key, versionId: newFileId(bucket, nowMs), modifiedMs: nowMs };
  store.record({ type: "version-added", bucket, version });
  outcome.hidden += 1;
}

function deleteHidden({ store, bucket, nowMs, outcome }: Run, rule: LifecycleRule, key: string) {
  const versions = [...store.index(bucket).versionsOf(key)];
  // A version is hidden since the next newer one came.
  for (const [position, { versionId }] of versions.entries()) {
    const newer = versions[position - 1];
    if (newer === undefined || !isOver(newer.modifiedMs, rule.noncurrentDays, nowMs)) continue;
    store.record({ type: "version-removed", bucket, key, versionId });
    outcome.deleted += 1;
  }
  const [left, ...others] = store.index(bucket).versionsOf(key);
  const deletes = rule.noncurrentDays !== undefined || rule.expiredObjectDeleteMarker === true;
  if (!deletes || left === undefined || !left.marker || others.length > 0) return;
  store.record({ type: "version-removed", bucket, key, versionId: left.versionId });
  outcome.deleted += 1;
}

function isOver(sinceMs: number, days: number | undefined, nowMs: number): boolean {
  return days !== undefined && nowMs - sinceMs >= days * DAY_MS;
}
