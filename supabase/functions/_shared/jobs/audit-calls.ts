import { z } from "zod";
import { auditAnswer, type Finding, recordingFacts, savedFindings } from "../audit/facts.ts";
import type { Call } from "./transfer-calls.ts";

/** How far an audit is, and what its last slice compared. */
export interface Reached {
  afterKey: string | null;
  afterId: string | null;
  counts: { recordings: number; versions: number; bytes: number };
}

/** The calls of the nightly audit. Refusals and failures are those of every call. */
export function auditCalls(call: Call) {
  return {
    /** The audit under way, or a new one. */
    beginAudit: () => call("begin_audit", {}, auditAnswer),
    /** What the rows say of these recordings, and of every one in a range of ids that should have files. */
    auditFacts: (range: { after: string | null; upTo: string | null }, ids: string[], limit: number) =>
      call(
        "audit_facts",
        { p_after: range.after, p_upto: range.upTo, p_ids: ids, p_limit: limit },
        z.array(recordingFacts),
      ),
    /** Saves what a slice of an audit found, and how far it came. Gives the ids of the findings. */
    saveAudit: (auditId: string, findings: Finding[], reached: Reached) =>
      call(
        "save_audit",
        {
          p_audit_id: auditId,
          p_findings: findings,
          p_after_key: reached.afterKey,
          p_after_id: reached.afterId,
          p_counts: reached.counts,
        },
        savedFindings,
      ),
    markRepaired: (findingId: string) => call("mark_repaired", { p_finding_id: findingId }, z.boolean()),
    /** Mends a finding about one recording through its ordinary jobs. */
    repairRecording: (recordingId: string, kind: "expired_left" | "late_files" | "source_left") =>
      call("repair_recording", { p_recording_id: recordingId, p_kind: kind }, z.boolean()),
    /** Ends an audit; gives how many findings it did not see any more. */
    finishAudit: (auditId: string) => call("finish_audit", { p_audit_id: auditId }, z.number().int()),
  };
}
