import type { CallQuality, CallTrouble } from "../transport.ts";
import type { NetworkQuality } from "./sdk.ts";

/** What a refused join means. The codes are the SDK's AgoraRTCErrorCode. */
export function troubleOfJoin(error: unknown): CallTrouble {
  const code = codeOf(error);
  if (code === "UID_CONFLICT") return elsewhere;
  if (code === "TOKEN_EXPIRE") {
    return { code: "token_expired", message: "The permission to join has run out.", retry: true };
  }
  if (code === "NOT_SUPPORTED") {
    return { code: "browser_unsupported", message: "This browser cannot hold calls.", retry: false };
  }
  if (code === "INVALID_PARAMS" || code === "CAN_NOT_GET_GATEWAY_SERVER") {
    // The gateway refuses App IDs and tokens that it does not accept under this code, and names the reason in the text.
    return { code: "join_refused", message: `Agora refused to let you in: ${textOf(error)}`, retry: true };
  }
  return { code: "join_failed", message: `Agora could not be reached: ${textOf(error)}`, retry: true };
}

const elsewhere: CallTrouble = {
  code: "joined_elsewhere",
  message: "You have joined this call in another window.",
  retry: false,
};

/** Why Agora ended the connection: the reasons of connection-state-change, ConnectionDisconnectedReason. */
export function troubleOfEnd(reason: string | undefined): CallTrouble {
  if (reason === "UID_CONFLICT") return elsewhere;
  if (reason?.endsWith("_BANNED")) {
    return { code: "removed", message: "You were removed from this call.", retry: false };
  }
  if (reason?.startsWith("LICENSE_")) {
    return { code: "licence_refused", message: `Agora refused its licence: ${reason}.`, retry: false };
  }
  return { code: "connection_lost", message: "The connection to Agora was lost.", retry: true };
}

/** Agora's 0 is unknown, 1 excellent, 2 good, 3 slightly impaired, 4 not smooth, 5 barely usable, 6 disconnected. */
export function qualityOf({ uplinkNetworkQuality, downlinkNetworkQuality }: NetworkQuality): CallQuality {
  const worse = Math.max(uplinkNetworkQuality, downlinkNetworkQuality);
  return {
    level: worse >= 5 ? "bad" : worse >= 4 ? "poor" : "good",
    direction: uplinkNetworkQuality >= downlinkNetworkQuality ? "sending" : "receiving",
  };
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
