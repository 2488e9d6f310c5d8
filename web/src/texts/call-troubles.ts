import { textOfError } from "./errors.ts";

/** One sentence and one next step for what only a call can answer with. */
const callTroubles: Readonly<Record<string, { sentence: string; action: string }>> = {
  connection_lost: {
    sentence: "The connection for picture and sound was lost.",
    action: "Check your network, then join again.",
  },
  media_failed: {
    sentence: "Picture and sound could not be set up.",
    action: "Join again; if it stays so, restart your browser.",
  },
  media_lost: {
    sentence: "The connection for picture and sound was lost.",
    action: "Check your network, then join again.",
  },
  join_timed_out: {
    sentence: "The media server did not answer in time.",
    action: "Check your network, then join again.",
  },
  join_failed: {
    sentence: "The media server could not be reached.",
    action: "Check your network, then join again.",
  },
  join_refused: {
    sentence: "The media server refused to let you in.",
    action: "Join again; if it stays so, tell whoever runs this portal.",
  },
  joined_elsewhere: {
    sentence: "You have joined this call in another window.",
    action: "Go on there, or join again here.",
  },
  replaced: {
    sentence: "You have joined this call in another window.",
    action: "Go on there, or join again here.",
  },
  removed: { sentence: "You were removed from this call.", action: "Ask the other person." },
  channel_full: { sentence: "The call is full.", action: "Wait until somebody leaves, then join again." },
  token_expired: { sentence: "Your permission to join has run out.", action: "Join again." },
  credentials_missing: {
    sentence: "The permission to join could not be renewed.",
    action: "Check your network, then join again.",
  },
  browser_unsupported: {
    sentence: "This browser cannot hold calls.",
    action: "Use a current Chrome, Edge, Firefox or Safari.",
  },
  transport_missing: {
    sentence: "This portal is set up for a kind of call that it does not know.",
    action: "Tell whoever runs this portal.",
  },
  address_missing: {
    sentence: "This portal does not say where calls are held.",
    action: "Tell whoever runs this portal.",
  },
  licence_refused: {
    sentence: "Agora refused this portal's licence.",
    action: "Tell whoever runs this portal.",
  },
};

/** The text of a code that a call was refused or ended with, be it the transport's or the server's. */
export function troubleText(code: string): { sentence: string; action: string } {
  return callTroubles[code] ?? textOfError(code);
}
