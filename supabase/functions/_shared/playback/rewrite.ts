/** Where what a playlist names is found. */
export interface Rewriting {
  /** Folder of the playlist, with its slash; nothing outside is ever named. */
  folder: string;
  /** The address of another playlist. */
  playlistAt(key: string): string;
  /** The address of a file. */
  mediaAt(key: string, contentType: string): string;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ts: "video/mp2t",
  m4s: "video/iso.segment",
  mp4: "video/mp4",
  m4a: "audio/mp4",
  aac: "audio/aac",
  webm: "video/webm",
  vtt: "text/vtt",
  jpg: "image/jpeg",
};
/** Tags whose URI names a file, and those whose URI names a playlist. RFC 8216 section 4.3; PART: its second edition. */
const NAMES_MEDIA: ReadonlySet<string> = new Set(["EXT-X-MAP", "EXT-X-PART"]);
const NAMES_PLAYLIST: ReadonlySet<string> = new Set(["EXT-X-MEDIA", "EXT-X-I-FRAME-STREAM-INF"]);
const ATTRIBUTE = /([A-Z0-9-]+)=("[^"\r\n]*"|[^",\s]+)(,|$)/g;

/** Why a playlist is not given on. Words for the engine room. */
export class UnfitPlaylist extends Error {}

/**
 * A playlist that lies beside its files, with an address in place of everything it names: slices, initialisation parts,
 * child playlists. Line by line, so that what we do not know stays as it is, unless it could name something: a player
 * would ask a foreign place, or the store without a signature. Throws UnfitPlaylist for that, for keys (a key beside
 * what it opens protects nothing), variables, and names that lead out of the folder. Source: RFC 8216 section 4.
 */
export function rewritePlaylist(text: string, rewriting: Rewriting): string {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (lines[0]?.trim() !== "#EXTM3U") throw new UnfitPlaylist("it does not begin with #EXTM3U");
  let isPlaylistNext = false;
  const written: string[] = [];
  for (const raw of lines) {
    const line = raw.trim();
    if (line.includes("{$")) throw new UnfitPlaylist("it uses variables");
    if (line.startsWith("#EXT")) {
      written.push(rewriteTag(line, rewriting));
      if (line.startsWith("#EXT-X-STREAM-INF:")) isPlaylistNext = true;
    } else if (line !== "" && !line.startsWith("#")) {
      written.push(isPlaylistNext ? playlistAddress(line, rewriting) : mediaAddress(line, rewriting));
      isPlaylistNext = false;
    }
  }
  return `${written.join("\n")}\n`;
}

function rewriteTag(line: string, rewriting: Rewriting): string {
  const colon = line.indexOf(":");
  if (colon === -1) return line;
  const [name, value] = [line.slice(1, colon), line.slice(colon + 1)];
  if (name === "EXT-X-KEY" || name === "EXT-X-SESSION-KEY") {
    if (value !== "METHOD=NONE") throw new UnfitPlaylist("it is encrypted");
    return line;
  }
  if (NAMES_MEDIA.has(name)) return rewriteUri(name, value, (uri) => mediaAddress(uri, rewriting));
  if (NAMES_PLAYLIST.has(name)) return rewriteUri(name, value, (uri) => playlistAddress(uri, rewriting));
  // A title may hold anything; nothing is fetched for it.
  if (name !== "EXTINF" && /UR[IL]|[a-z]+:\/\//i.test(value))
    throw new UnfitPlaylist(`${name} names a place`);
  return line;
}

function rewriteUri(name: string, value: string, addressOf: (uri: string) => string): string {
  const attributes = [...value.matchAll(ATTRIBUTE)];
  if (attributes.map(([whole]) => whole).join("") !== value)
    throw new UnfitPlaylist(`${name} cannot be read`);
  const rewritten = attributes.map(([, attribute = "", quoted = ""]) => {
    if (attribute === "URI") return `URI="${addressOf(quoted.replaceAll('"', ""))}"`;
    if (/:\/\//.test(quoted)) throw new UnfitPlaylist(`${name} names a place`);
    return `${attribute}=${quoted}`;
  });
  return `#${name}:${rewritten.join(",")}`;
}

function playlistAddress(uri: string, { folder, playlistAt }: Rewriting): string {
  if (!isInside(uri) || !uri.endsWith(".m3u8"))
    throw new UnfitPlaylist("it names another playlist outside its folder");
  return playlistAt(folder + uri);
}

function mediaAddress(uri: string, { folder, mediaAt }: Rewriting): string {
  const contentType = CONTENT_TYPES[uri.slice(uri.lastIndexOf(".") + 1)];
  if (!isInside(uri) || contentType === undefined) {
    throw new UnfitPlaylist("it names something that is no file of its folder");
  }
  return mediaAt(folder + uri, contentType);
}

/**
 * Whether a name leads down from where it stands and nowhere else: plain letters, no scheme, no query, no escapes, no
 * `..`. Stricter than RFC 3986 allows, since all playlists that are given are written by ourselves or the engine.
 */
export function isInside(path: string): boolean {
  return path.length <= 300 && /^[A-Za-z0-9_][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/.test(path);
}
