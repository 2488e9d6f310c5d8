import * as z from "zod/mini";

/**
 * What page and media server say to each other, one JSON object per message. The server describes the connection (offer) and the
 * page answers; nothing is negotiated again: each connection has places for everything from the beginning, and who uses which
 * place is told in `peers`.
 */

/** How many people a call holds: oneself and one per slot. */
export const mostPeople = 4;
export const slotCount = mostPeople - 1;

const state = z.enum(["off", "muted", "on"]);
export const publications = z.object({ microphone: state, camera: state, screen: state });

/** Longest description, characters: several times what a browser writes. */
const sdp = z.string().check(z.maxLength(100_000));

export const clientMessage = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("join"),
    app_id: z.string().check(z.maxLength(64)),
    channel: z.string().check(z.minLength(1), z.maxLength(64)),
    uid: z.int().check(z.gte(1), z.lte(4_294_967_295)),
    token: z.string().check(z.maxLength(4_096)),
    name: z._default(z.string().check(z.maxLength(64)), ""),
  }),
  z.strictObject({ type: z.literal("answer"), sdp }),
  /** Everything that is sent from now on. */
  z.strictObject({ type: z.literal("publications"), publications }),
  z.strictObject({ type: z.literal("leave") }),
  z.strictObject({ type: z.literal("ping") }),
]);
export type ClientMessage = z.input<typeof clientMessage>;

export const peer = z.object({
  uid: z.number(),
  name: z.string(),
  /** Which of the connection's places carries this peer's media: 0 to slotCount - 1. */
  slot: z.int().check(z.gte(0), z.lte(slotCount - 1)),
  publications,
});
export type RemotePeer = z.output<typeof peer>;

export const serverMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("joined"),
    sdp,
    /** Send a ping this often; three missed ones count as gone, on both sides. */
    heartbeat_ms: z.int().check(z.positive()),
    peers: z.array(peer),
  }),
  z.object({ type: z.literal("peers"), peers: z.array(peer) }),
  z.object({ type: z.literal("refused"), code: z.string(), message: z.string(), retry: z.boolean() }),
  z.object({ type: z.literal("pong") }),
]);
export type ServerMessage = z.output<typeof serverMessage>;

/** The places of a connection in the order of its media lines: one's own three, then three per slot. */
export const placeOrder = ["microphone", "camera", "screen"] as const;

/** Keeps only candidates on this machine; the second value counts the lines that were left out. */
export function onlyLoopback(description: string): { sdp: string; removed: number } {
  const lines = description.split("\r\n");
  const kept = lines.filter((line) => !line.startsWith("a=candidate:") || isLoopbackCandidate(line));
  // The default address in c= lines is a candidate too; what is not on this machine is made meaningless.
  const cleaned = kept.map((line) => (isForeignAddressLine(line) ? "c=IN IP4 0.0.0.0" : line));
  return { sdp: cleaned.join("\r\n"), removed: lines.length - kept.length };
}

/** True where a description names an address that is not 127.0.0.1 (0.0.0.0 says none). */
export function hasForeignAddress(description: string): boolean {
  const lines = description.split(/\r\n|\n|\r/);
  return lines.some(
    (line) =>
      (/^a=candidate:/i.test(line) && !isLoopbackCandidate(line)) ||
      isForeignAddressLine(line) ||
      /^a=rtcp:\d+ IN IP[46] (?!0\.0\.0\.0|127\.0\.0\.1)/i.test(line),
  );
}

function isLoopbackCandidate(line: string): boolean {
  // a=candidate:<foundation> <component> <transport> <priority> <address> <port> typ <type> [raddr <address> …]
  const words = line.split(" ");
  const related = words.indexOf("raddr");
  return words[4] === "127.0.0.1" && (related < 0 || words[related + 1] === "127.0.0.1");
}

function isForeignAddressLine(line: string): boolean {
  return /^c=/i.test(line) && !/^c=IN IP4 (0\.0\.0\.0|127\.0\.0\.1)$/.test(line);
}
