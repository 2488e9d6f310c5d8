import type { Playback } from "../jobs/database.ts";

/** What some file system, shell or header would take amiss, and what only turns the reading direction around. */
const UNFIT = /[\p{C}/\\:*?"<>|%]+/gu;
const LONGEST_NAME = 40;

/**
 * A file name that a person finds again: when it was (UTC, for the two may live apart) and with whom. Names are people's
 * own words: what cannot stand in a file name is left out. `part` where one recording is several files.
 */
export function downloadName(
  playback: Pick<Playback, "started_at" | "recording_id" | "people">,
  part?: { number: number; count: number },
): string {
  const when =
    playback.started_at === null
      ? playback.recording_id.slice(0, 8)
      : `${new Date(playback.started_at).toISOString().slice(0, 16).replace("T", " ").replace(":", ".")} UTC`;
  const names = playback.people
    .map((name) =>
      [...name.replace(UNFIT, " ").replace(/\s+/g, " ").trim()].slice(0, LONGEST_NAME).join("").trim(),
    )
    .filter(Boolean);
  const ofParts = part === undefined || part.count === 1 ? "" : ` (part ${part.number} of ${part.count})`;
  return `Recording ${when}${names.length > 0 ? `, ${names.join(" and ")}` : ""}${ofParts}.mp4`;
}
