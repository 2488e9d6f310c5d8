import type { Sql } from "postgres";
import { z } from "zod";
import type { Broadcast, Topics } from "./broadcasts.ts";
import { mayWrite } from "./policies.ts";
import type { Claims, TokenReader } from "./tokens.ts";

/** One broadcast that came over HTTP; the topic is named without its `realtime:`. */
interface Posted {
  topic: string;
  isPrivate: boolean;
  broadcast: Broadcast;
}

/** An answer to an HTTP call; 202 has no body. */
export interface Answer {
  status: number;
  body?: object;
}

export interface Call {
  headers: Record<string, string>;
  body: Buffer;
}

const batchSchema = z.object({
  messages: z
    .array(
      z.object({
        topic: z.string().min(1),
        event: z.string().min(1),
        payload: z.record(z.string(), z.unknown()),
        private: z.boolean().default(false),
      }),
    )
    .min(1),
});

const unauthorized: Answer = { status: 401, body: { message: "Unauthorized" } };

/** Who may send over HTTP, and how the messages reach the topics. */
export class HttpBroadcasts {
  readonly #sql: Sql;
  readonly #tokens: TokenReader;
  readonly #topics: Topics;
  readonly #maxBytes: number;

  constructor(sql: Sql, tokens: TokenReader, topics: Topics, maxBytes: number) {
    this.#sql = sql;
    this.#tokens = tokens;
    this.#topics = topics;
    this.#maxBytes = maxBytes;
  }

  /** POST /api/broadcast with `{messages: [{topic, event, payload, private?}]}`: 202, 401 or 422. */
  async sendBatch(call: Call): Promise<Answer> {
    const claims = await this.#claimsOf(call.headers);
    if (claims === undefined) return unauthorized;
    const batch = batchSchema.safeParse(jsonOf(call.body));
    if (!batch.success) return { status: 422, body: { errors: z.treeifyError(batch.error) } };
    const posted = batch.data.messages.map(({ topic, event, payload, private: isPrivate }): Posted => {
      return {
        topic,
        isPrivate,
        broadcast: { kind: "message", payload: { type: "broadcast", event, payload } },
      };
    });
    if (
      batch.data.messages.some(({ payload }) => Buffer.byteLength(JSON.stringify(payload)) > this.#maxBytes)
    ) {
      return tooLarge;
    }
    await this.#send(posted, claims, call.headers);
    return { status: 202 };
  }

  /** POST /api/broadcast/TOPIC/events/EVENT?private=true, the body being the payload: 202, 401, 415 or 422. */
  async sendOne(call: Call, topic: string, event: string, isPrivate: boolean): Promise<Answer> {
    const claims = await this.#claimsOf(call.headers);
    if (claims === undefined) return unauthorized;
    const type = call.headers["content-type"]?.split(";")[0]?.trim();
    if (type !== "application/json" && type !== "application/octet-stream") return { status: 415 };
    const encoding = type === "application/json" ? "json" : "raw";
    if (encoding === "json" && jsonOf(call.body) === undefined) {
      return { status: 422, body: { message: "The body is not JSON" } };
    }
    if (call.body.length > this.#maxBytes) return tooLarge;
    const content = { event, encoding, bytes: call.body } as const;
    await this.#send([{ topic, isPrivate, broadcast: { kind: "bytes", content } }], claims, call.headers);
    return { status: 202 };
  }

  async #send(posted: Posted[], claims: Claims, headers: Record<string, string>): Promise<void> {
    const allowed = new Map<string, boolean>();
    for (const { topic, isPrivate, broadcast } of posted) {
      if (isPrivate) {
        // As on a socket, what the policies refuse is dropped without a word: the answer is 202 all the same.
        const may =
          allowed.get(topic) ?? (await mayWrite(this.#sql, { topic, claims, headers }, "broadcast"));
        allowed.set(topic, may);
        if (!may) continue;
      }
      this.#topics.broadcast(topic, isPrivate, broadcast);
    }
  }

  async #claimsOf(headers: Record<string, string>): Promise<Claims | undefined> {
    const key = headers.apikey;
    const bearer = /^bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
    if (bearer === undefined) return key === undefined ? undefined : (await this.#tokens.readKey(key)).claims;
    // A new-style key is not a token: as Bearer it counts only together with the same apikey.
    if (bearer.startsWith("sb_"))
      return bearer === key ? (await this.#tokens.readKey(key)).claims : undefined;
    return (await this.#tokens.readToken(bearer)).claims;
  }
}

const tooLarge: Answer = { status: 422, body: { message: "Payload size exceeds tenant limit" } };

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    // Whoever sent it is told so by a 422.
    return undefined;
  }
}
