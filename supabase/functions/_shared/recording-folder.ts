/** Where a recording's objects are in the bucket: one folder per recording, one in it per attempt. */

/** Everything of ours in the bucket. */
export const RECORDINGS_PREFIX = "recordings/";

function folderNames(recordingId: string): string[] {
  return ["recordings", recordingId.replaceAll("-", "")];
}

/** The folder of one attempt as the engine is told of it: letters and digits only, as Agora wants folder names. */
export function attemptFolders(recordingId: string, attempt: number): string[] {
  return [...folderNames(recordingId), `a${attempt}`];
}

/** The prefix of all keys of a recording, with its slash. */
export function recordingPrefix(recordingId: string): string {
  return `${folderNames(recordingId).join("/")}/`;
}

/** The key of what is written last: see storage/manifest.ts. */
export function manifestKey(recordingId: string): string {
  return `${recordingPrefix(recordingId)}manifest.json`;
}

/** The folder of one attempt, with its slash. */
export function attemptPrefix(recordingId: string, attempt: number): string {
  return `${attemptFolders(recordingId, attempt).join("/")}/`;
}

/** Whether the engine wrote this object: what we make of a recording lies in its folder beside those of its attempts. */
export function isInAttempt(recordingId: string, key: string): boolean {
  const prefix = recordingPrefix(recordingId);
  return key.startsWith(prefix) && /^a\d{1,6}\//.test(key.slice(prefix.length));
}
