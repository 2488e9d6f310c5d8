import { verifyRtcToken } from "../rtc-token.ts";
import type { TaskDeps } from "./task-deps.ts";
import type { TaskRecord } from "./task-store.ts";

/** Until when a recorder may stay (UTC ms; a token that had run out before it was taken has no end any more), or why it may not join. */
export type Admission =
  | { isAdmitted: true; until: number }
  | { isAdmitted: false; tokenCode: number | null; why: string };

/** Asks what the media servers ask of a recorder that joins: its token, and whether its uid is free. */
export function admitRecorder(record: TaskRecord, deps: TaskDeps): Admission {
  const { settings, refusals } = deps;
  const verdict = verifyRtcToken(
    record.request.token,
    {
      appId: settings.appId,
      appCertificate: settings.appCertificate,
      channel: record.cname,
      uid: record.uid,
      nowMs: Date.now(),
      beyondADay: settings.unconfirmed.tokenBeyondADay,
    },
    refusals,
  );
  if (!verdict.ok) return { isAdmitted: false, tokenCode: verdict.code, why: verdict.why };
  const taken = refusals.late("recorder.uid_taken", () =>
    deps.people.isMember(record.cname, record.recorderUid),
  );
  // Two of one uid throw each other out; nothing but the exit tells of it.
  if (taken) return { isAdmitted: false, tokenCode: null, why: taken.id };
  const { expiresAtMs } = verdict;
  return { isAdmitted: true, until: expiresAtMs > Date.now() ? expiresAtMs : Number.POSITIVE_INFINITY };
}
