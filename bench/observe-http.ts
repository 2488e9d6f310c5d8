// Loaded into every Node part of a measured stack by NODE_OPTIONS (see observed-stack.ts): writes down when the part's
// HTTP server got a request and when its HTTP client made one. It only listens on Node's diagnostics channels: no hop is
// added, and the parts run unchanged. (The channel that tells of a finished answer is of no use here: the other side may
// have read it and gone on before.)
import { subscribe } from "node:diagnostics_channel";
import { appendFileSync } from "node:fs";
import type { ClientRequest, IncomingMessage } from "node:http";
import { basename, dirname, join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { monotonicMs } from "./clock.ts";
import type { Observation } from "./observations.ts";

/** Rare enough that writing does not fall into what is measured, often enough that little is lost with a killed part. */
const writeEveryMs = 200;

const folder = process.env.BENCH_OBSERVATIONS;
const entry = process.argv[1] ?? "";
if (folder !== undefined && isMainThread && basename(entry) === "main.ts") {
  observe(basename(dirname(entry)), folder);
}

function observe(part: string, into: string): void {
  const file = join(into, `${part}-${process.pid}.jsonl`);
  let lines: string[] = [];
  const write = () => {
    if (lines.length > 0) appendFileSync(file, `${lines.join("\n")}\n`);
    lines = [];
  };
  const note = (kind: Observation["kind"], method: string, path: string) => {
    const atMs = monotonicMs();
    if (lines.length === 0) setTimeout(write, writeEveryMs).unref();
    lines.push(JSON.stringify({ part, kind, method, path, atMs } satisfies Observation));
  };
  subscribe("http.server.request.start", (message) => {
    const { request } = message as { request: IncomingMessage };
    note("received", request.method ?? "", request.url ?? "");
  });
  subscribe("http.client.request.created", (message) => {
    const { request } = message as { request: ClientRequest };
    note("sent", request.method, request.path);
  });
  process.on("exit", write);
}
