/**
 * The engine's file names (Cloud Recording, "manage recorded files"): pure text, no storage. Agora tells neither size
 * nor duration of a file, but its name tells the task, the order and the time.
 */
export type EngineFileKind = "playlist" | "segment" | "mp4" | "thumbnail";

export interface EngineFileName {
  kind: EngineFileKind;
  /** The task: 32 hex digits. */
  sid: string;
  /** The channel as it stands in file names: see channelInFileNames. */
  channel: string;
  /** n of the prefix `bak<n>_`: written by the n-th server that took over. Undefined: by the first one. */
  failover?: number;
  /** Number of an MP4, from 0; a new one begins at some 2 hours or 2 GB. */
  index?: number;
  /**
   * A playlist that came by Agora's backup cloud: `_<tick>_<index>`, the larger index being the newer. The longer
   * one of the newest such playlist and the plain one holds.
   */
  backup?: { tick: number; index: number };
  /** Begin of a segment or time of a picture, ms UTC. */
  startsAtMs?: number;
  /** Individual mode only: whose stream it is. */
  stream?: { uid: string; track: string };
}

// Every other character that a channel may have has become a hyphen, so an underscore always parts two members.
const HEAD = /^(?:bak(\d{1,4})_)?([0-9a-f]{32})_([A-Za-z0-9 -]*)(?:__uid_s_(\d{1,10})__uid_e_([a-z0-9]+))?/;

const TAILS: readonly { kind: EngineFileKind; form: RegExp }[] = [
  { kind: "playlist", form: /^(?:_(\d{1,15})_(\d{1,6}))?\.m3u8$/ },
  // UTC as yyyyMMddHHmmssSSS; web mode may write milliseconds since 1970.
  { kind: "segment", form: /^_(\d{17}|\d{13})\.(?:ts|webm)$/ },
  { kind: "mp4", form: /^_(\d{1,6})\.mp4$/ },
  { kind: "thumbnail", form: /^_(\d{17}|\d{13})\.jpg$/ },
];

const SEGMENT =
  /^(?:bak\d{1,4}_)?[0-9a-f]{32}_[A-Za-z0-9 -]*(?:__uid_s_\d{1,10}__uid_e_[a-z0-9]+)?_(?:\d{17}|\d{13})\.(?:ts|webm)$/;

/** Whether a base name has a segment's form. Cheaper than to read it, where thousands are only to be let through. */
export function isSegmentName(name: string): boolean {
  return SEGMENT.test(name);
}

/** What a base name (no folder) tells; undefined when it is not a name the engine makes. */
export function parseEngineFileName(name: string): EngineFileName | undefined {
  const head = HEAD.exec(name);
  if (head === null) return undefined;
  const [whole, failover, sid = "", channel = "", uid, track] = head;
  for (const { kind, form } of TAILS) {
    const tail = form.exec(name.slice(whole.length));
    if (tail === null) continue;
    const startsAtMs = kind === "segment" || kind === "thumbnail" ? timeOf(tail[1] ?? "") : undefined;
    if ((kind === "segment" || kind === "thumbnail") && startsAtMs === undefined) return undefined;
    return {
      kind,
      sid,
      channel,
      ...(failover === undefined ? {} : { failover: Number(failover) }),
      ...(kind === "mp4" ? { index: Number(tail[1]) } : {}),
      ...(kind === "playlist" && tail[1] !== undefined
        ? { backup: { tick: Number(tail[1]), index: Number(tail[2]) } }
        : {}),
      ...(startsAtMs === undefined ? {} : { startsAtMs }),
      ...(uid === undefined || track === undefined ? {} : { stream: { uid, track } }),
    };
  }
  return undefined;
}

function timeOf(digits: string): number | undefined {
  if (digits.length === 13) return Number(digits);
  const iso = digits.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d{3})$/, "$1-$2-$3T$4:$5:$6.$7Z");
  const time = new Date(iso);
  // Date.parse rolls 31 February over; a name that does not survive the way back is not a time.
  return Number.isNaN(time.getTime()) || time.toISOString() !== iso ? undefined : time.getTime();
}

/** A channel as it stands in file names: each of these characters becomes a hyphen, the underscore too. */
export function channelInFileNames(channel: string): string {
  return channel.replace(/[!@#$%^&*()+_.=[\]{}~|,;:?<>]/g, "-");
}

/** The name of a mix task's playlist; it can be predicted as soon as the sid is known. */
export function playlistName(task: { sid: string; channel: string }): string {
  return `${task.sid}_${channelInFileNames(task.channel)}.m3u8`;
}

/** The name of a mix task's MP4 number `index` (from 0). */
export function mp4Name(task: { sid: string; channel: string; index: number }): string {
  return `${task.sid}_${channelInFileNames(task.channel)}_${task.index}.mp4`;
}

/**
 * The object key of a file the engine told us of. Whether Agora's `fileName` already holds the prefix differs between
 * its pages: a name that starts with it is used as it is, any other is put behind it. The base name has to be one the
 * engine makes, and nothing but the prefix may stand before it; anything else, undefined: a key is never taken from an
 * event on trust.
 */
export function objectKeyOf(prefix: readonly string[], engineName: string): string | undefined {
  const folder = prefix.map((part) => `${part}/`).join("");
  const baseName = engineName.startsWith(folder) ? engineName.slice(folder.length) : engineName;
  return parseEngineFileName(baseName) === undefined ? undefined : `${folder}${baseName}`;
}
