import { createHmac, randomBytes, randomInt } from "node:crypto";
import http from "node:http";
import https from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import type { Log } from "../stack/part.ts";
import type { Faults } from "./faults.ts";
import { seeded } from "./seeded.ts";
import type { AgoraSettings } from "./settings.ts";

/** productId of Cloud Recording. */
const cloudRecording = 3;

/** One event before it is sent; `sentAt` is its own time, UTC ms. */
export interface EngineEvent {
  eventType: number;
  cname: string;
  /** Uid of the recorder, which changes with a failover. */
  uid: string;
  sid: string;
  sequence: number;
  sentAt: number;
  /** 0 service, 1 recorder, 2 uploader. */
  serviceType: 0 | 1 | 2;
  details: { msgName: string } & Record<string, unknown>;
}

export interface DeliveryResult {
  success: boolean;
  /** The receiver's status, or the console's codes 590 (no answer in time), 591 (no such host), 592 (no connection). */
  httpCode: number;
  error: string;
  response: string;
}

/** Both signatures over the exact bytes of a body, lower-case hex. */
export function signatures(secret: string, body: Buffer): Record<string, string> {
  return {
    "Agora-Signature": createHmac("sha1", secret).update(body).digest("hex"),
    "Agora-Signature-V2": createHmac("sha256", secret).update(body).digest("hex"),
  };
}

/**
 * Sends events to the configured receiver. Each event is delivered on its own, so that a slow or failing one holds up no
 * other: order is not promised. An answer counts when it is HTTP 200 with JSON within the timeout; otherwise the event is
 * sent again, with the same noticeId and a new notifyMs, and given up after the last resend (Agora, "Notifications").
 */
export class Notifier {
  readonly #target: AgoraSettings["webhook"];
  readonly #unconfirmed: AgoraSettings["unconfirmed"];
  readonly #faults: Faults;
  readonly #log: Log;
  readonly #agent: http.Agent;
  readonly #ended = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor({ webhook: target, unconfirmed }: AgoraSettings, faults: Faults, log: Log) {
    this.#target = target;
    this.#unconfirmed = unconfirmed;
    this.#faults = faults;
    this.#log = log;
    const isTls = target ? new URL(target.url).protocol === "https:" : false;
    this.#agent = new (isTls ? https : http).Agent({ keepAlive: true, maxSockets: 64 });
  }

  /** Begins the delivery and returns at once. */
  send(event: EngineEvent): void {
    if (!this.#target || this.#ended.signal.aborted) return;
    if (this.#faults.take("drop_webhook", event)) return;
    const shuffled = this.#faults.take("shuffle_webhooks", event);
    const late =
      (this.#faults.take("delay_webhook", event)?.ms ?? 0) +
      (shuffled ? Math.floor(seeded(shuffled.seed * 1_009 + shuffled.nth)() * shuffled.ms) : 0);
    const copy = this.#faults.take("duplicate_webhook", event)?.as;
    const noticeId = freshNoticeId();
    this.#begin(event, noticeId, late);
    if (copy === "same") this.#begin(event, noticeId, late);
    if (copy === "new notice") this.#begin(event, freshNoticeId(), late);
    if (copy === "other uid") {
      this.#begin({ ...event, uid: String(randomInt(1, 4_294_967_296)) }, freshNoticeId(), late);
    }
  }

  /** What the console does when a receiver is saved: one test event, no resend. */
  async check(eventType: number): Promise<DeliveryResult> {
    const { testEventNames, testEventSigned } = this.#unconfirmed;
    const payload = {
      [testEventNames]: "test_webhook",
      uid: "12121212",
      details: { msgName: "test_webhook" },
    };
    const test = {
      notifyMs: Date.now(),
      productId: cloudRecording,
      eventType,
      noticeId: freshNoticeId(),
      payload,
    };
    return this.#post(test, testEventSigned);
  }

  /** Gives up what is under way and closes the connections. */
  async stop(): Promise<void> {
    this.#ended.abort();
    await Promise.all(this.#running);
    this.#agent.destroy();
  }

  #begin(event: EngineEvent, noticeId: string, late: number): void {
    const delivery = this.#deliver(event, noticeId, late)
      .catch((error: unknown) => {
        if (!this.#ended.signal.aborted) this.#log("event not delivered", { why: String(error) });
      })
      .finally(() => this.#running.delete(delivery));
    this.#running.add(delivery);
  }

  async #deliver(event: EngineEvent, noticeId: string, late: number): Promise<void> {
    if (late) await pause(late, undefined, { signal: this.#ended.signal });
    const pauses = this.#target?.resendAfterMs ?? [];
    for (let attempt = 0; ; attempt++) {
      const isNew = attempt > 0 && this.#unconfirmed.noticeIdOfResend === "new";
      const result = await this.#post(
        envelope(event, isNew ? freshNoticeId() : noticeId, this.#unconfirmed.serviceScene),
        true,
      );
      if (result.success || this.#ended.signal.aborted) return;
      const next = pauses[attempt];
      this.#log("event refused by the receiver", {
        eventType: event.eventType,
        sid: event.sid,
        httpCode: result.httpCode,
        why: result.error,
        resendInMs: next ?? "never",
      });
      if (next === undefined) return;
      await pause(next, undefined, { signal: this.#ended.signal });
    }
  }

  async #post(message: Record<string, unknown>, isSigned: boolean): Promise<DeliveryResult> {
    const target = this.#target;
    if (!target) return { success: false, httpCode: 591, error: "no receiver is configured", response: "" };
    const body = Buffer.from(JSON.stringify(message));
    const url = new URL(target.url);
    const timeout = AbortSignal.timeout(target.timeoutMs);
    return new Promise((resolve) => {
      const failed = (error: Error & { code?: string }) => {
        const httpCode = timeout.aborted ? 590 : error.code === "ENOTFOUND" ? 591 : 592;
        resolve({ success: false, httpCode, error: error.message, response: "" });
      };
      const sending = (url.protocol === "https:" ? https : http).request(url, {
        method: "POST",
        agent: this.#agent,
        signal: AbortSignal.any([timeout, this.#ended.signal]),
        headers: {
          "Content-Type": "application/json;charset=utf-8",
          "Content-Length": body.length,
          ...(isSigned ? signatures(target.secret, body) : {}),
        },
      });
      sending.on("error", failed);
      sending.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", failed);
        response.on("end", () =>
          resolve(
            judged(
              response.statusCode ?? 0,
              Buffer.concat(chunks).toString("utf8"),
              this.#unconfirmed.deliveredBy,
            ),
          ),
        );
      });
      sending.end(body);
    });
  }
}

function judged(
  httpCode: number,
  response: string,
  deliveredBy: AgoraSettings["unconfirmed"]["deliveredBy"],
): DeliveryResult {
  const delivered = { success: true, httpCode, error: "", response };
  if (deliveredBy === "any 2xx" && httpCode >= 200 && httpCode < 300) return delivered;
  if (httpCode !== 200) return { success: false, httpCode, error: `answered ${httpCode}`, response };
  try {
    JSON.parse(response);
    return delivered;
  } catch {
    return { success: false, httpCode, error: "answered 200 without JSON", response };
  }
}

const freshNoticeId = () => randomBytes(16).toString("hex");

function envelope(event: EngineEvent, noticeId: string, serviceScene: string) {
  return {
    notifyMs: Date.now(),
    productId: cloudRecording,
    payload: {
      cname: event.cname,
      uid: event.uid,
      sid: event.sid,
      sequence: event.sequence,
      sendts: event.sentAt,
      serviceType: event.serviceType,
      serviceScene,
      details: event.details,
    },
    eventType: event.eventType,
    noticeId,
    sid: event.sid,
  };
}
