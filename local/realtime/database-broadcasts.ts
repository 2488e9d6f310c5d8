import type { Broadcast } from "./broadcasts.ts";
import type { Change } from "./replication.ts";

/** A row of realtime.messages as the broadcast it asks for. */
export interface DatabaseBroadcast {
  topic: string;
  isPrivate: boolean;
  broadcast: Broadcast;
}

/** Is the change a new row of realtime.messages? Those are broadcasts, never postgres_changes. */
export function isMessage(change: Change): boolean {
  return change.schema === "realtime" && change.table === "messages";
}

/** Reads the row; undefined when it lacks what a broadcast must have (a payload, an event), which hosted drops too. */
export function databaseBroadcast({ row }: Change): DatabaseBroadcast | undefined {
  const { topic, event, id, payload, binary_payload: bytes } = row;
  if (typeof topic !== "string" || typeof event !== "string" || typeof id !== "string") return undefined;
  const target = { topic, isPrivate: row.private === "t" };
  const meta = { id };
  if (typeof bytes === "string") {
    const content = { event, encoding: "raw", bytes: Buffer.from(bytes.replace(/^\\x/, ""), "hex") } as const;
    return { ...target, broadcast: { kind: "bytes", content, meta } };
  }
  if (typeof payload !== "string") return undefined;
  return {
    ...target,
    broadcast: { kind: "message", payload: { type: "broadcast", event, payload: JSON.parse(payload), meta } },
  };
}
