/** The two protocol versions of realtime-js; a client that names none speaks 1.0.0. */
export type Vsn = "1.0.0" | "2.0.0";

/** One message of the Phoenix protocol, whatever its form on the wire. */
export interface Message {
  joinRef: string | null;
  ref: string | null;
  topic: string;
  event: string;
  payload: unknown;
}

/** A broadcast whose payload is passed on as the bytes that came in. */
export interface UserBroadcast {
  event: string;
  encoding: "raw" | "json";
  bytes: Buffer;
}

/** A client's binary broadcast (kind 3). */
export interface BroadcastPush extends UserBroadcast {
  joinRef: string | null;
  ref: string | null;
  topic: string;
  metadata: Record<string, unknown>;
}

/** The bytes or the text of a frame are not of the protocol. */
export class FrameError extends Error {}

const pushKind = 3;
const broadcastKind = 4;
const jsonEncoding = 1;
/** Each string of a binary frame has one byte for its length. */
const longestString = 255;

/** Reads a text frame. Throws FrameError when it is not a message of that version. */
export function decodeText(vsn: Vsn, text: string): Message {
  const value = parseJson(text);
  if (vsn === "2.0.0") {
    if (!Array.isArray(value) || value.length !== 5) throw new FrameError("not an array of five");
    const [joinRef, ref, topic, event, payload] = value;
    return message(joinRef, ref, topic, event, payload);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new FrameError("not an object");
  const { join_ref, ref, topic, event, payload } = value as Record<string, unknown>;
  return message(join_ref, ref, topic, event, payload);
}

/** Writes a message as the text frame of that version. */
export function encodeText(vsn: Vsn, { joinRef, ref, topic, event, payload }: Message): string {
  return JSON.stringify(
    vsn === "2.0.0"
      ? [joinRef, ref, topic, event, payload]
      : { topic, event, payload, ref, join_ref: joinRef },
  );
}

/** Reads a binary frame of a client: only broadcasts come this way. Throws FrameError for any other bytes. */
export function decodeBinary(frame: Buffer): BroadcastPush {
  if (frame.length < 7 || frame[0] !== pushKind) throw new FrameError("unknown kind of binary frame");
  const lengths = [...frame.subarray(1, 6)];
  const strings: string[] = [];
  let offset = 7;
  for (const length of lengths) {
    if (offset + length > frame.length) throw new FrameError("binary frame is cut off");
    strings.push(frame.toString("utf8", offset, offset + length));
    offset += length;
  }
  const encoding = frame[6] === jsonEncoding ? "json" : "raw";
  // It is passed on unread, and would break every client that takes it.
  if (encoding === "json") parseJson(frame.toString("utf8", offset));
  const [joinRef = "", ref = "", topic = "", event = "", metadata = ""] = strings;
  return {
    joinRef: joinRef === "" ? null : joinRef,
    ref: ref === "" ? null : ref,
    topic,
    event,
    metadata: metadata === "" ? {} : (parseJson(metadata) as Record<string, unknown>),
    encoding,
    bytes: frame.subarray(offset),
  };
}

/**
 * Writes a broadcast for a 2.0.0 client as a binary frame (kind 4), or gives null when the topic, the event or the
 * metadata is longer than a binary frame can say.
 */
export function encodeBroadcast(topic: string, broadcast: UserBroadcast, meta?: object): Buffer | null {
  const strings = [topic, broadcast.event, meta === undefined ? "" : JSON.stringify(meta)].map((text) =>
    Buffer.from(text, "utf8"),
  );
  if (strings.some((bytes) => bytes.length > longestString)) return null;
  const header = [
    broadcastKind,
    ...strings.map((bytes) => bytes.length),
    broadcast.encoding === "json" ? jsonEncoding : 0,
  ];
  return Buffer.concat([Buffer.from(header), ...strings, broadcast.bytes]);
}

function message(joinRef: unknown, ref: unknown, topic: unknown, event: unknown, payload: unknown): Message {
  if (typeof topic !== "string" || typeof event !== "string")
    throw new FrameError("topic and event must be text");
  return { joinRef: reference(joinRef), ref: reference(ref), topic, event, payload };
}

function reference(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "number") return String(value);
  throw new FrameError("a ref must be text");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FrameError("not JSON", { cause: error });
  }
}
