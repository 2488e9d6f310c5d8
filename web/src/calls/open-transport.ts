import { AgoraTransport } from "./agora/agora-transport.ts";
import { LocalTransport } from "./local/local-transport.ts";
import { type CallCredentials, CallRefusal, type CallTransport } from "./transport.ts";

/**
 * The transport that the answer of call-token asks for. It never falls back to another one: a wrong setting must show.
 * Throws CallRefusal `transport_missing` for one that this build does not have.
 */
export function openTransport({ transport }: Pick<CallCredentials, "transport">): CallTransport {
  if (transport === "local") return new LocalTransport();
  if (transport === "agora") return new AgoraTransport();
  throw new CallRefusal({
    code: "transport_missing",
    message: `This page cannot carry calls over "${transport}".`,
    retry: false,
  });
}
