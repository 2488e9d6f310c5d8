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
  #heardAt = performance.now();
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
    this.#heardAt = performance.now();
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
    this.#heartbeat = setInterval(() => {
      if (performance.now() - this.#heardAt > everyMs * missedHeartbeats) {
        this.#lose("The media server has fallen silent.");
      } else this.send({ type: "ping" });
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
