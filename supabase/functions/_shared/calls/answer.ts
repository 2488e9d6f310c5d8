import { buildRtcToken } from "../agora/token.ts";
import type { callSettings } from "../config.ts";
import { asRecorderError } from "../errors.ts";
import type { RecorderDatabase } from "../jobs/database.ts";
import type { Log } from "../log.ts";
import { answerOnce, answerPreflight, refuse } from "../people/answers.ts";
import { readOrder } from "../people/order.ts";
import type { Asked } from "../people/serve-people.ts";

/** What a client needs to join a call. */
export interface CallToken {
  /** Which SDK: Agora's, or the one of the media server at `url`. */
  transport: "agora" | "local";
  url?: string;
  app_id: string;
  channel: string;
  /** The person's own number, the same in every call; the token is for nobody else. */
  uid: number;
  /** An AccessToken2 that lets this one uid join and publish. */
  token: string;
  expires_at: string;
  /** The SDK's mode, which must be the recorder's. */
  mode: "live" | "rtc";
}

export interface CallTokenDeps extends Asked {
  database: Pick<RecorderDatabase, "admitCaller">;
  settings: ReturnType<typeof callSettings>;
  random(): number;
}

/**
 * POST {call_id} with the user's token gives one of the two people of an active mentorship what it takes to join its
 * call, as a publisher. Answers 400, 401, 403, 405, 409, 413 and 503 with {code, message}; whoever is not one of the
 * two learns no more than that there is no such call, a person of it also that it has ended.
 */
export async function answerCallToken(
  request: Request,
  makeDeps: () => CallTokenDeps,
  log: Log,
): Promise<Response> {
  if (request.method === "OPTIONS") return answerPreflight();
  if (request.method !== "POST") {
    return refuse(405, "method_not_allowed", "Use POST.", { Allow: "POST, OPTIONS" });
  }
  try {
    return await answerOrder(request, makeDeps(), log);
  } catch (thrown) {
    const error = asRecorderError(thrown);
    if (error.code === "call_ended") return refuse(409, "call_ended", error.message);
    // The account was deleted between the two questions.
    if (error.code === "user_not_found") return refuse(401, "sign_in_required", "Sign in first.");
    log("call_token.failed", { code: error.code, detail: error.detail });
    return refuse(503, error.code, error.message);
  }
}

async function answerOrder(request: Request, deps: CallTokenDeps, log: Log): Promise<Response> {
  const missing = () => refuse(400, "call_id_missing", "call_id must be the id of a call.");
  const order = await readOrder(request, "call_id", missing, deps.userOf);
  if (order instanceof Response) return order;
  const caller = await deps.database.admitCaller(order.id, order.userId);
  if (caller === null) return refuse(403, "call_not_found", "There is no call of yours with this id.");

  const { appId, appCertificate, transport, transportUrl } = deps.settings;
  const issuedAtSeconds = Math.floor(deps.now() / 1000);
  const token = await buildRtcToken({
    appId,
    appCertificate,
    channel: caller.channel,
    uid: caller.uid,
    role: "publisher",
    expiresInSeconds: caller.token_lifetime_seconds,
    issuedAtSeconds,
    salt: 1 + Math.floor(deps.random() * 99_999_998),
  });
  deps.wakeOverdueLanes();
  log("call_token.given", { call_id: order.id, uid: caller.uid });
  const answer: CallToken = {
    transport,
    ...(transport === "local" && transportUrl !== undefined ? { url: transportUrl } : {}),
    app_id: appId,
    channel: caller.channel,
    uid: caller.uid,
    token,
    expires_at: new Date((issuedAtSeconds + caller.token_lifetime_seconds) * 1000).toISOString(),
    mode: caller.channel_type === 1 ? "live" : "rtc",
  };
  return answerOnce(answer);
}
