import { z } from "zod";
import type { B2Client } from "../b2/client.ts";
import type { Presigner } from "../b2/presign.ts";
import { asRecorderError } from "../errors.ts";
import type { RecorderDatabase } from "../jobs/database.ts";
import { readLimitedBody } from "../limited-body.ts";
import type { Log } from "../log.ts";
import { readManifestSegments } from "../storage/manifest.ts";
import { isPlayable, mediaLifetime, playbackAddresses } from "./addresses.ts";
import { renderPlaylist } from "./playlist.ts";
import { readPlaylistToken } from "./token.ts";

/** An order is an id; nothing longer is read, from whoever it comes. */
const LONGEST_ORDER_BYTES = 4 * 1024;
const CORS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers": "authorization, x-client-info, apikey, content-type, range",
  "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
  "Access-Control-Max-Age": "86400",
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
}

const order = z.object({ recording_id: z.uuid() });

/**
 * POST {recording_id} with the user's token gives the addresses to play from; GET …/playlist.m3u8?token= gives the
 * playlist with signed addresses. Access is asked for at both. Answers 400, 401, 403, 404, 405, 413 and 503 with
 * {code, message}; whoever is not one of the two people learns no more than that there is no such recording.
 */
export async function answerPlayback(
  request: Request,
  makeDeps: () => PlaybackDeps,
  log: Log,
): Promise<Response> {
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: CORS });
  const isPlaylist = new URL(request.url).pathname.endsWith("/playlist.m3u8");
  const method = isPlaylist ? "GET" : "POST";
  if (request.method !== method) {
    return refuse(405, "method_not_allowed", `Use ${method}.`, { Allow: `${method}, OPTIONS` });
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

async function answerAddresses(request: Request, deps: PlaybackDeps, log: Log): Promise<Response> {
  const accessToken = /^Bearer\s+(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (accessToken === undefined) return refuse(401, "sign_in_required", "Sign in first.");
  const rawBody = await readLimitedBody(request, LONGEST_ORDER_BYTES);
  if (rawBody === undefined) return refuse(413, "body_not_json", "The body must be an id and nothing more.");
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(rawBody));
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
  log("playback.opened", { recording_id: playback.recording_id, status: playback.status });
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
  const hasPlaylist = playback?.files.some((file) => file.kind === "playlist") ?? false;
  if (playback === null || !hasPlaylist || !isPlayable(playback, nowSeconds)) {
    return refuse(404, "recording_not_found", "There is no recording of yours with this id.");
  }
  const { signedAt, expiresInSeconds } = mediaLifetime(playback, nowSeconds);
  // The manifest lists what was there when the files were published; the engine's own playlist may name what never came.
  const segments = await readManifestSegments(playback.recording_id, deps.bucket);
  const text = renderPlaylist(segments, ({ uri: key }) =>
    deps.presigner.presignGet(key, { signedAt, expiresInSeconds, responseContentType: "video/mp2t" }),
  );
  return new Response(text, {
    headers: {
      ...CORS,
      "Content-Type": "application/vnd.apple.mpegurl",
      "Cache-Control": "private, no-store",
    },
  });
}

function refuse(
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json(
    { code, message },
    { status, headers: { ...CORS, "Cache-Control": "no-store", ...headers } },
  );
}
