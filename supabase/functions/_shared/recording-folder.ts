/** Where a recording's objects are in the bucket: one folder per recording, one in it per attempt. */

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
