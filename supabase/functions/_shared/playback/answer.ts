import type { B2Client } from "../b2/client.ts";
import { asRecorderError, RecorderFailure } from "../errors.ts";
import type { Playback, RecorderDatabase } from "../jobs/database.ts";
import type { Log } from "../log.ts";
import { answerOnce, answerPreflight, refuse } from "../people/answers.ts";
import { readOrder } from "../people/order.ts";
import type { Asked } from "../people/serve-people.ts";
import { isInAttempt, recordingPrefix } from "../recording-folder.ts";
import { readManifestSegments } from "../storage/manifest.ts";
import { playbackAddresses } from "./addresses.ts";
import { isPlayable, type Lifetime, mediaLifetime } from "./lifetimes.ts";
import type { MediaAddresses } from "./media-addresses.ts";
import { renderPlaylist } from "./playlist.ts";
import { isInside, rewritePlaylist, UnfitPlaylist } from "./rewrite.ts";
import { readPlaylistToken } from "./token.ts";

/** A playlist of ours for a phone, a day long at slices of 2 s. */
const LONGEST_PLAYLIST_BYTES = 8 * 1024 * 1024;

export interface PlaybackDeps extends Asked {
  database: Pick<RecorderDatabase, "playbackOf">;
  bucket: Pick<B2Client, "getText">;
  media: MediaAddresses;
  baseUrl: string;
  tokenSecrets: readonly string[];
}

/**
 * POST {recording_id} with the user's token gives the addresses to play from; GET …/playlist.m3u8?token= gives the
 * playlist with signed addresses, with &file= that of a rendition. Access is asked for at each. Answers 400, 401, 403,
 * 404, 405, 413 and 503 with {code, message}; whoever is not one of the two people learns no more than that there is no
 * such recording.
 */
export async function answerPlayback(
  request: Request,
  makeDeps: () => PlaybackDeps,
  log: Log,
): Promise<Response> {
  if (request.method === "OPTIONS") return answerPreflight();
  const isPlaylist = new URL(request.url).pathname.endsWith("/playlist.m3u8");
  const methods = isPlaylist ? ["GET", "HEAD"] : ["POST"];
  if (!methods.includes(request.method)) {
    return refuse(405, "method_not_allowed", `Use ${methods.join(" or ")}.`, {
      Allow: [...methods, "OPTIONS"].join(", "),
    });
  }
  try {
    return isPlaylist
      ? await answerPlaylist(request, makeDeps())
      : await answerAddresses(request, makeDeps(), log);
  } catch (thrown) {
    const error = asRecorderError(thrown);
    log("playback.failed", { code: error.code, detail: error.detail });
    return refuse(503, error.code, error.message);
  }
}

const notFound = () => refuse(404, "recording_not_found", "There is no recording of yours with this id.");

async function answerAddresses(request: Request, deps: PlaybackDeps, log: Log): Promise<Response> {
  const missing = () => refuse(400, "recording_id_missing", "recording_id must be the id of a recording.");
  const order = await readOrder(request, "recording_id", missing, deps.userOf);
  if (order instanceof Response) return order;
  const playback = await deps.database.playbackOf(order.id, order.userId);
  if (playback === null) return notFound();
  const nowSeconds = Math.floor(deps.now() / 1000);
  const addresses = playbackAddresses(playback, order.userId, { ...deps, nowSeconds });
  deps.wakeOverdueLanes();
  log("playback.opened", { recording_id: playback.recording_id, status: playback.status });
  return answerOnce(addresses);
}

async function answerPlaylist(request: Request, deps: PlaybackDeps): Promise<Response> {
  const nowSeconds = Math.floor(deps.now() / 1000);
  const { searchParams } = new URL(request.url);
  const tokenText = searchParams.get("token") ?? "";
  const token = readPlaylistToken(tokenText, deps.tokenSecrets, nowSeconds);
  if (token === undefined) {
    return refuse(
      403,
      "playlist_token_invalid",
      "This address is not valid or has expired; open the recording again.",
    );
  }
  const playback = await deps.database.playbackOf(token.recordingId, token.viewerId);
  if (playback === null || !isPlayable(playback, nowSeconds)) return notFound();
  const life = mediaLifetime(playback, nowSeconds);
  const file = searchParams.get("file");
  const text =
    file === null
      ? await originalPlaylist(playback, life, deps)
      : await renditionPlaylist(playback, file, tokenText, life, deps);
  return text === undefined
    ? notFound()
    : answerOnce(text, { "Content-Type": "application/vnd.apple.mpegurl" });
}

/** The recording as it was recorded; undefined where it has no slices. */
async function originalPlaylist(playback: Playback, life: Lifetime, deps: PlaybackDeps) {
  const { recording_id } = playback;
  const isThere = playback.files.some(
    ({ kind, object_key }) => kind === "playlist" && isInAttempt(recording_id, object_key),
  );
  if (!isThere) return undefined;
  // The manifest lists what was there when the files were published; the engine's own playlist may name what never came.
  const segments = await readManifestSegments(recording_id, deps.bucket);
  const addressOf = deps.media.prepare(life, { method: "GET", contentType: "video/mp2t" });
  return renderPlaylist(segments, ({ uri: key }) => addressOf(key));
}

/** A playlist that we made of the recording, or a child of one; undefined for what cannot be one. */
async function renditionPlaylist(
  playback: Playback,
  file: string,
  token: string,
  life: Lifetime,
  deps: PlaybackDeps,
): Promise<string | undefined> {
  const prefix = recordingPrefix(playback.recording_id);
  const key = prefix + file;
  const isOurs = isInside(file) && file.endsWith(".m3u8") && !isInAttempt(playback.recording_id, key);
  const folder = key.slice(0, key.lastIndexOf("/") + 1);
  // A child lies below the folder of a rendition that is known: what is only half made is not played.
  const isKnown = playback.files.some(
    ({ kind, object_key }) => kind === "playlist" && folder.startsWith(folderOf(object_key)),
  );
  if (!isOurs || !isKnown) return undefined;
  const text = await deps.bucket.getText(key, LONGEST_PLAYLIST_BYTES);
  const prepared = new Map<string, (key: string) => string>();
  const preparedFor = (contentType: string) => {
    const sign = prepared.get(contentType) ?? deps.media.prepare(life, { method: "GET", contentType });
    prepared.set(contentType, sign);
    return sign;
  };
  try {
    return rewritePlaylist(text, {
      folder,
      playlistAt: (child) =>
        `${deps.baseUrl}/playlist.m3u8?token=${token}&file=${encodeURIComponent(child.slice(prefix.length))}`,
      mediaAt: (media, contentType) => preparedFor(contentType)(media),
    });
  } catch (cause) {
    if (!(cause instanceof UnfitPlaylist)) throw cause;
    throw new RecorderFailure(
      {
        code: "playlist_unreadable",
        blame: "storage",
        retry: "later",
        message: "The recording cannot be read right now.",
        detail: `${key}: ${cause.message}`,
      },
      { cause },
    );
  }
}

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf("/") + 1);
}
