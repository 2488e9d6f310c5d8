// Runs inside Deno, once per function process: makes the hosted runtime's globals, then imports the function unmodified.
// The runner speaks to it over stdin (one JSON line to start, then `unload <reason>` lines; end of input means: exit now)
// and hears from it by marked lines on stdout. It is outside of the function's permissions, not of its trust.

interface DenoServeOptions {
  handler?: Handler;
  onListen?: (address: { port: number; hostname: string; transport: string }) => void;
  [option: string]: unknown;
}
type Handler = (request: Request, info: unknown) => Response | Promise<Response>;

// Deno's own types cannot stand beside Node's in one program; this is what is used here.
declare const Deno: {
  stdin: { readable: ReadableStream<Uint8Array<ArrayBuffer>> };
  stdout: { writeSync(bytes: Uint8Array): number };
  env: {
    toObject(): Record<string, string>;
    set(name: string, value: string): void;
    delete(name: string): void;
  };
  exit(code: number): never;
  serve(optionsOrHandler: DenoServeOptions | Handler, handler?: Handler): unknown;
};

interface StartOrder {
  /** Marks the runtime's own lines on stdout, so that nothing a function prints can be taken for one. */
  nonce: string;
  /** file: URL of the function's entry. */
  entry: string;
  env: Record<string, string>;
}

const input = linesOf(Deno.stdin.readable);
const first = await input.next();
if (first.done) Deno.exit(0);
const order = JSON.parse(first.value) as StartOrder;

// Hosted shows a function exactly these names; Deno adds some of its own to what the process was started with.
for (const name of Object.keys(Deno.env.toObject())) Deno.env.delete(name);
for (const [name, value] of Object.entries(order.env)) Deno.env.set(name, value);

// The end of input is how a process notices that its runner was killed. It must never be awaited by the start below.
void (async () => {
  for await (const line of input) {
    const reason = line.startsWith("unload ") ? line.slice("unload ".length) : undefined;
    if (reason) globalThis.dispatchEvent(new CustomEvent("beforeunload", { detail: { reason } }));
  }
  Deno.exit(0);
})();

let pending = 0;
Object.defineProperty(globalThis, "EdgeRuntime", {
  value: Object.freeze({
    waitUntil<T>(promise: Promise<T>): Promise<T> {
      if (++pending === 1) tell({ type: "background", busy: true });
      Promise.resolve(promise)
        .catch((error: unknown) =>
          console.error("the promise given to EdgeRuntime.waitUntil was rejected:", error),
        )
        .finally(() => {
          if (--pending === 0) tell({ type: "background", busy: false });
        });
      return promise;
    },
  }),
});

const serve = Deno.serve.bind(Deno);
let serving = false;
Deno.serve = (optionsOrHandler: DenoServeOptions | Handler, maybeHandler?: Handler) => {
  const options = typeof optionsOrHandler === "function" ? { handler: optionsOrHandler } : optionsOrHandler;
  const handler = maybeHandler ?? options.handler;
  if (typeof handler !== "function") throw new TypeError("Deno.serve was called without a handler");
  serving = true;
  // Where a function listens is the platform's choice, whatever it asks for.
  const { path: _path, cert: _cert, key: _key, transport: _transport, ...kept } = options;
  return serve({
    ...kept,
    handler,
    hostname: "127.0.0.1",
    port: 0,
    onListen: (address) => {
      tell({ type: "listening", port: address.port });
      options.onListen?.(address);
    },
  });
};

const loaded = (await import(order.entry)) as { default?: { fetch?: unknown } };
if (!serving) {
  const exported = loaded.default;
  if (typeof exported?.fetch !== "function") {
    throw new Error("the function neither calls Deno.serve nor exports default { fetch }");
  }
  const fetchHandler = exported.fetch as Handler;
  const handler: Handler = (request, info) => fetchHandler.call(exported, request, info);
  Deno.serve(handler);
}

function tell(message: { type: "listening"; port: number } | { type: "background"; busy: boolean }): void {
  // The line break before it ends whatever the function may have printed without one.
  Deno.stdout.writeSync(new TextEncoder().encode(`\n\u001e${order.nonce} ${JSON.stringify(message)}\n`));
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
