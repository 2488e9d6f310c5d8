import { z } from "zod";
import type { B2Client } from "../b2/client.ts";
import type { Presigner } from "../b2/presign.ts";
import { asRecorderError, RecorderFailure } from "../errors.ts";
import type { Playback, RecorderDatabase } from "../jobs/database.ts";
import type { Log } from "../log.ts";
import { mediaLifetime, playbackAddresses } from "./addresses.ts";
import { type Playlist, parsePlaylist, renderPlaylist } from "./playlist.ts";
import { readPlaylistToken } from "./token.ts";

const LONGEST_PLAYLIST_BYTES = 8 * 1024 * 1024;
const CORS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers": "authorization, x-client-info, apikey, content-type, range",
  "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
};

export interface PlaybackDeps {
  database: Pick<RecorderDatabase, "playbackOf">;
  bucket: Pick<B2Client, "getText">;
  presigner: Presigner;
  /** Id of the user whose access token this is; undefined when Auth does not accept it. */
  userOf(accessToken: string): Promise<string | undefined>;
  baseUrl: string;
  tokenSecrets: readonly string[];
  now(): number;
  log: Log;
}

const order = z.object({ recording_id: z.uuid() });

/**
 * POST {recording_id} with the user's token gives the addresses to play from; GET …/playlist.m3u8?token= gives the
 * playlist with signed addresses. Access is asked for at both. Answers 400, 401, 403, 404, 405 with {code, message};
 * whoever is not one of the two people learns no more than that there is no such recording.
 */
export async function answerPlayback(request: Request, makeDeps: () => PlaybackDeps): Promise<Response> {
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: CORS });
  const { pathname } = new URL(request.url);
  try {
    if (pathname.endsWith("/playlist.m3u8")) {
      return request.method === "GET"
        ? await answerPlaylist(request, makeDeps())
        : refuse(405, "method_not_allowed", "Use GET.");
    }
    return request.method === "POST"
      ? await answerAddresses(request, makeDeps())
      : refuse(405, "method_not_allowed", "Use POST.");
  } catch (thrown) {
    const error = asRecorderError(thrown);
    console.log(JSON.stringify({ step: "playback.failed", code: error.code, detail: error.detail }));
    return refuse(error.blame === "user" ? 400 : 503, error.code, error.message);
  }
}

async function answerAddresses(request: Request, deps: PlaybackDeps): Promise<Response> {
  const accessToken = /^Bearer\s+(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (accessToken === undefined) return refuse(401, "sign_in_required", "Sign in first.");
  let body: unknown;
  try {
    body = await request.json();
  } catch {
    return refuse(400, "body_not_json", 'The body must be JSON: {"recording_id": "…"}.');
  }
  const parsed = order.safeParse(body);
  if (!parsed.success)
    return refuse(400, "recording_id_missing", "recording_id must be the id of a recording.");
  const viewerId = await deps.userOf(accessToken);
  if (viewerId === undefined) return refuse(401, "sign_in_required", "Sign in first.");
  const playback = await deps.database.playbackOf(parsed.data.recording_id, viewerId);
  if (playback === null)
    return refuse(404, "recording_not_found", "There is no recording of yours with this id.");
  const addresses = playbackAddresses(playback, viewerId, {
    baseUrl: deps.baseUrl,
    tokenSecrets: deps.tokenSecrets,
    presigner: deps.presigner,
    nowSeconds: Math.floor(deps.now() / 1000),
  });
  deps.log("playback.opened", { recording_id: playback.recording_id, status: playback.status });
  return Response.json(addresses, { headers: { ...CORS, "Cache-Control": "private, no-store" } });
}

async function answerPlaylist(request: Request, deps: PlaybackDeps): Promise<Response> {
  const nowSeconds = Math.floor(deps.now() / 1000);
  const token = readPlaylistToken(
    new URL(request.url).searchParams.get("token") ?? "",
    deps.tokenSecrets,
    nowSeconds,
  );
  if (token === undefined)
    return refuse(
      403,
      "playlist_token_invalid",
      "This address is not valid or has expired; open the recording again.",
    );
  const playback = await deps.database.playbackOf(token.recordingId, token.viewerId);
  if (playback === null || playback.status !== "recorded") {
    return refuse(404, "recording_not_found", "There is no recording of yours with this id.");
  }
  const text = await playlistOf(playback, deps, nowSeconds);
  return new Response(text, {
    headers: {
      ...CORS,
      "Content-Type": "application/vnd.apple.mpegurl",
      "Cache-Control": "private, no-store",
    },
  });
}

async function playlistOf(playback: Playback, deps: PlaybackDeps, nowSeconds: number): Promise<string> {
  const { signedAt, expiresInSeconds } = mediaLifetime(playback, nowSeconds);
  const files = playback.files.filter((file) => file.kind === "playlist");
  const parts = await Promise.all(
    files.map(async (file): Promise<Playlist> => {
      const playlist = parsePlaylist(await deps.bucket.getText(file.object_key, LONGEST_PLAYLIST_BYTES));
      if (playlist === undefined) {
        throw new RecorderFailure({
          code: "playlist_unreadable",
          blame: "storage",
          retry: "later",
          message: "The recording cannot be read right now.",
          detail: file.object_key,
        });
      }
      return playlist;
    }),
  );
  return renderPlaylist(parts, (segment, part) => {
    const playlistKey = files[part]?.object_key ?? "";
    // Only bare names beside the playlist are ours; anything else would sign somebody else's object.
    if (!/^[\w .-]+$/.test(segment.uri) || segment.uri.startsWith(".")) {
      throw new RecorderFailure({
        code: "playlist_unreadable",
        blame: "storage",
        retry: "never",
        message: "The recording cannot be read.",
        detail: `unexpected address in ${playlistKey}`,
      });
    }
    const key = playlistKey.slice(0, playlistKey.lastIndexOf("/") + 1) + segment.uri;
    return deps.presigner.presignGet(key, { signedAt, expiresInSeconds, responseContentType: "video/mp2t" });
  });
}

function refuse(status: number, code: string, message: string): Response {
  return Response.json({ code, message }, { status, headers: { ...CORS, "Cache-Control": "no-store" } });
}
