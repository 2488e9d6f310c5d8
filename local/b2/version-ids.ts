import { createHash, randomBytes } from "node:crypto";

/**
 * A new id in the form of B2's file ids: bucket, random file part, UTC date and time, cluster, server, thread,
 * milliseconds since 1970. Version ids and upload ids share the form. At B2 the id of a completed large file may well
 * equal its upload id; here they always differ, so that nobody comes to rely on it.
 */
export function newFileId(bucket: string, nowMs: number): string {
  const bucketId = createHash("sha1").update(bucket).digest("hex").slice(0, 24);
  const [date = "", time = ""] = new Date(nowMs)
    .toISOString()
    .replace(/[-:]|\.\d+Z$/g, "")
    .split("T");
  const file = randomBytes(8).toString("hex");
  return `4_z${bucketId}_f${file}_d${date}_m${time}_c005_v0501000_t0001_u${String(nowMs).padStart(14, "0")}`;
}

/** Whether a text has the form of a file id. */
export function isFileId(text: string): boolean {
  return /^4_z[0-9a-f]{24}_f[0-9a-f]{16,17}_d\d{8}_m\d{6}_c\d{3}_v\d{7}_t\d{4}_u\d{14}$/.test(text);
}
