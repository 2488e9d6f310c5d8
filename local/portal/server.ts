import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, relative, sep } from "node:path";
import { cacheControlOf, portalHeaders } from "../../web/headers.ts";
import type { Log, RunningPart } from "../stack/part.ts";
import { buildPortal } from "./build.ts";
import type { PortalSettings } from "./settings.ts";

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
};

interface ServedFile {
  body: Buffer;
  type: string;
  etag: string;
}

/**
 * The portal as a static host serves it: built files with the headers of web/headers.ts, one page for every address that is no file, and
 * /config.json, which says where the backend is. Builds first where the sources changed; a build that is there is served at once.
 *
 * What it does not do: compression, HTTP/2, other languages, ranges.
 */
export async function startPortal(
  settings: PortalSettings,
  log: Log,
): Promise<RunningPart & { address: string }> {
  const stopping = new AbortController();
  // Listens before it builds: a taken port is told at once.
  const files = Promise.withResolvers<Map<string, ServedFile>>();
  files.promise.catch(() => undefined);
  const headers = portalHeaders(settings);
  const { supabaseUrl, supabaseKey, callTransport } = settings;
  const config = fileOf(Buffer.from(JSON.stringify({ supabaseUrl, supabaseKey, callTransport })), ".json");

  const server = createServer((request, response) => {
    void files.promise.then(
      (known) => answer(request, response, known, config, headers),
      () => response.writeHead(503).end(),
    );
  });
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen(settings.port, "127.0.0.1", done);
  });
  const stop = async () => {
    stopping.abort();
    const closed = new Promise((done) => server.close(done));
    server.closeAllConnections();
    await closed;
  };
  try {
    files.resolve(await readFiles(await buildPortal(settings, log, stopping.signal)));
    await files.promise;
  } catch (error) {
    files.reject(error);
    await stop();
    throw error;
  }
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}

/** All files of a build by their path; few and small, so that none is ever looked for on the disk by what a request says. */
async function readFiles(folder: string): Promise<Map<string, ServedFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes(`${sep}.vite`));
  return new Map(
    await Promise.all(
      files.map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return [
          `/${relative(folder, path).split(sep).join("/")}`,
          fileOf(await readFile(path), extname(path)),
        ] as const;
      }),
    ),
  );
}

function fileOf(body: Buffer, extension: string): ServedFile {
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  return { body, type: types[extension] ?? "application/octet-stream", etag };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  files: ReadonlyMap<string, ServedFile>,
  config: ServedFile,
  headers: Record<string, string>,
): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  const { pathname } = new URL(request.url ?? "/", "http://portal");
  const named = pathname === "/config.json" ? config : files.get(pathname);
  // An address of a page is no file's name: the page itself knows what it shows there. A missing file is missing.
  const found = named ?? (extname(pathname) === "" ? files.get("/index.html") : undefined);
  if (found === undefined) {
    response
      .writeHead(404, { "content-type": "text/plain", "cache-control": "no-store" })
      .end("there is no such file\n");
    return;
  }
  response.setHeader("cache-control", named === undefined ? "no-cache" : cacheControlOf(pathname));
  response.setHeader("etag", found.etag);
  if (request.headers["if-none-match"] === found.etag) {
    response.writeHead(304).end();
    return;
  }
  response.writeHead(200, { "content-type": found.type, "content-length": found.body.length });
  response.end(request.method === "HEAD" ? undefined : found.body);
}
