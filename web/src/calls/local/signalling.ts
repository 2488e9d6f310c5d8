import type { CallTrouble } from "../transport.ts";
import { type ClientMessage, type ServerMessage, serverMessage } from "./messages.ts";

const missedHeartbeats = 3;

/**
 * One socket to the media server, with its heartbeat. Ends exactly once, with the reason: what the server refused, or that the
 * connection was lost. Is not used again after that.
 */
export class Signalling {
  readonly #socket: WebSocket;
  readonly #onMessage: (message: ServerMessage) => void;
  readonly #onEnded: (trouble: CallTrouble) => void;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #missed = 0;
  #isEnded = false;

  constructor(
    url: string,
    first: ClientMessage,
    onMessage: (message: ServerMessage) => void,
    onEnded: (trouble: CallTrouble) => void,
  ) {
    this.#onMessage = onMessage;
    this.#onEnded = onEnded;
    this.#socket = new WebSocket(url);
    this.#socket.addEventListener("open", () => this.send(first));
    this.#socket.addEventListener("message", ({ data }) => this.#take(data));
    this.#socket.addEventListener("close", () => this.#lose("The connection to the media server was lost."));
  }

  send(message: ClientMessage): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Says goodbye where that is possible; `onEnded` is not called. */
  close(): void {
    this.#isEnded = true;
    clearInterval(this.#heartbeat);
    this.send({ type: "leave" });
    this.#socket.close();
  }

  #take(data: unknown): void {
    if (this.#isEnded) return;
    this.#missed = 0;
    let message: ServerMessage;
    try {
      message = serverMessage.parse(JSON.parse(String(data)));
    } catch {
      this.#lose("The media server speaks another protocol.");
      return;
    }
    if (message.type === "refused") {
      this.#end({ code: message.code, message: message.message, retry: message.retry });
      return;
    }
    if (message.type === "joined") this.#beat(message.heartbeat_ms);
    if (message.type !== "pong") this.#onMessage(message);
  }

  #beat(everyMs: number): void {
    // Counted in beats of our own: a page that stood still has not read what came meanwhile.
    this.#heartbeat = setInterval(() => {
      this.#missed += 1;
      if (this.#missed > missedHeartbeats) this.#lose("The media server has fallen silent.");
      else this.send({ type: "ping" });
    }, everyMs);
  }

  #lose(message: string): void {
    this.#end({ code: "connection_lost", message, retry: true });
  }

  #end(trouble: CallTrouble): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearInterval(this.#heartbeat);
    this.#socket.close();
    this.#onEnded(trouble);
  }
}
