import { z } from "zod";

/** Settings of the media server of calls. Times are named by their unit. */
export const callSettings = z.object({
  /** Pages are told to send a sign of life this often; after three missed ones a page counts as gone. */
  heartbeatMs: z.number().int().positive().default(2_000),
  /** A socket that has not joined by then is closed. */
  joinWithinMs: z.number().int().positive().default(5_000),
  /** Sockets at once, joined or not. */
  mostSockets: z.number().int().positive().default(200),
  /** Messages of one page in one second. */
  messagesPerSecond: z.number().int().positive().default(50),
  /** Share of what pages send that is lost on arrival, per cent: a fault switch. */
  lossPercent: z.number().min(0).max(50).default(0),
  /** From the capture of a picture to its place in the recording; late packets and stalls must fit into it. */
  recordingDelayMs: z.number().int().min(100).max(5_000).default(800),
});

export type CallSettings = z.output<typeof callSettings>;
