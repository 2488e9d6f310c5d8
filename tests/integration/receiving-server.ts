import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Somebody on this machine who is sent messages over HTTP. */
export interface ReceivingServer {
  address: string;
  /** Answers the next ones with this status, and does not take them. */
  failNext(status: number, times: number): void;
  close(): Promise<void>;
}

/** Gives every message to `take`, and answers what that says. */
export async function startReceiving(
  take: (headers: Headers, body: Buffer) => { status: number; text?: string },
): Promise<ReceivingServer> {
  const failures: number[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const failure = failures.shift();
      if (failure !== undefined) return response.writeHead(failure).end();
      const headers = new Headers(request.headers as Record<string, string>);
      const { status, text } = take(headers, Buffer.concat(chunks));
      return response.writeHead(status).end(text);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://127.0.0.1:${port}`,
    failNext(status, times) {
      for (let count = 0; count < times; count++) failures.push(status);
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
