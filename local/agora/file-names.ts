/** The characters of a channel name that the recording service replaces by a hyphen in file names. */
const replaced = /[!@#$%^&*()+_.=[\]{}~|,;:?<>]/g;

/** Name ending of a file that is still being written. */
export const unfinished = ".part";

export interface TaskFiles {
  playlist: string;
  /** The playlist when it comes by the backup cloud: `_<tick>_<index>` before its ending, the larger index is newer. */
  latePlaylist(tick: number, index: number): string;
  /** @param startedAt UTC, ms since 1970. */
  slice(startedAt: number): string;
  mp4(index: number): string;
}

/** File names of a mix recording: `<sid>_<cname>…`, after a failover with `bak<n>_` in front (Agora, "Manage recorded files"). */
export function taskFiles(sid: string, cname: string, failovers: number): TaskFiles {
  const stem = `${failovers > 0 ? `bak${failovers - 1}_` : ""}${sid}_${cname.replace(replaced, "-")}`;
  return {
    playlist: `${stem}.m3u8`,
    latePlaylist: (tick, index) => `${stem}_${tick}_${index}.m3u8`,
    slice: (startedAt) => `${stem}_${utc17(startedAt)}.ts`,
    mp4: (index) => `${stem}_${index}.mp4`,
  };
}

/** `yyyyMMddHHmmssSSS` in UTC. */
export function utc17(ms: number): string {
  return new Date(ms).toISOString().replace(/\D/g, "");
}

export function isPlaylist(name: string): boolean {
  return name.endsWith(".m3u8");
}

/** Media before the playlists that name it. */
export function playlistOrder(a: string, b: string): number {
  return Number(isPlaylist(a)) - Number(isPlaylist(b)) || (a < b ? -1 : 1);
}
