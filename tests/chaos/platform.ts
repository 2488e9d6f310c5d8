import http from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { DenoProcess } from "../../local/functions/deno-process.ts";
import { forward } from "../../local/functions/forward.ts";
import type { Stack } from "../../local/stack/stack.ts";

const projectDir = resolve(import.meta.dirname, "../..");

/** Stands where the gateway expects the functions. */
export interface FunctionsRelay {
  url: string;
  /** Says where requests go from now on; undefined is answered 503. */
  passTo(target: (name: string) => Promise<number | undefined>): void;
  close(): Promise<void>;
}

/** Opens the relay, before the stack whose gateway is told its address. */
export async function openFunctionsRelay(): Promise<FunctionsRelay> {
  let targetOf: (name: string) => Promise<number | undefined> = async () => undefined;
  const server = http.createServer((request, response) => {
    const path = (request.url ?? "/").replace(/^\/functions\/v1(?=\/)/, "");
    const refuse = (status: number) => void response.writeHead(status).end();
    const pass = async () => {
      const port = await targetOf(/^\/([^/?#]+)/.exec(path)?.[1] ?? "");
      if (port === undefined) return refuse(503);
      const outcome = await forward(request, response, { port, path, idleMs: 30_000 });
      if (outcome !== "answered" && !response.headersSent) refuse(502);
    };
    pass().catch(() => refuse(502));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passTo(target) {
      targetOf = target;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** The functions' side of a platform whose run-control can be killed at a chosen moment. */
export interface Platform {
  /** Lets requests through to run-control, in a fresh process where the last one was killed. */
  resume(): Promise<void>;
  /** SIGKILLs the process of run-control and waits until it is gone. Its requests are answered 503 until `resume`. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Runs run-control in a Deno process of its own, made as the local stack makes its functions', with the backends at the
 * given addresses. A spare one is ready at any time, so that a kill costs no start-up. All other functions stay the stack's.
 */
export async function startPlatform(
  stack: Stack,
  relay: FunctionsRelay,
  backends: Record<string, string>,
  log: (line: string) => void,
): Promise<Platform> {
  const makeProcess = () =>
    new DenoProcess({
      name: "run-control",
      entryFile: join(import.meta.dirname, "observed-run-control.ts"),
      denoConfig: join(projectDir, "deno.json"),
      functionsDir: projectDir,
      cacheDir: join(stack.dataDir, "deno"),
      memoryMb: 256,
      log,
      env: {
        ...stack.env,
        ...backends,
        SUPABASE_SECRET_KEYS: JSON.stringify({ default: stack.secretKey }),
        SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: stack.publishableKey }),
      },
    });
  let spare = makeProcess();
  let current: DenoProcess | undefined;
  const others = Number(new URL(stack.addresses.functions ?? "").port);
  relay.passTo(async (name) => (name === "run-control" ? await current?.listening : others));
  await spare.listening;

  return {
    async resume() {
      if (current !== undefined) return;
      await spare.listening;
      current = spare;
      spare = makeProcess();
    },
    async kill() {
      const dying = current;
      current = undefined;
      dying?.kill("crash");
      await dying?.ended;
    },
    async close() {
      for (const process of [current, spare]) process?.kill("asked");
      await Promise.all([current?.ended, spare.ended]);
    },
  };
}
