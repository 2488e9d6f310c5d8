import { readFile } from "node:fs/promises";
import http from "node:http";
import { stripTypeScriptTypes } from "node:module";
import { join, normalize, sep } from "node:path";

const projectDir = join(import.meta.dirname, "..", "..");
/** What pages may load, by the first part of the path. */
const served: Record<string, string> = {
  web: join(projectDir, "web", "src"),
  browser: join(projectDir, "local", "browser", "pages"),
  zod: join(projectDir, "node_modules", "zod"),
  hls: join(projectDir, "node_modules", "hls.js", "dist"),
};

export interface ModuleServer {
  /** `http://127.0.0.1:PORT` */
  address: string;
  close(): Promise<void>;
}

/**
 * Serves the browser's modules as they are written: TypeScript loses its types on the way, nothing is bundled. `GET /page?module=PATH`
 * is an empty page that runs one module.
 */
export async function serveModules(): Promise<ModuleServer> {
  const server = http.createServer((request, response) => {
    answer(new URL(request.url ?? "/", "http://127.0.0.1")).then(
      ({ type, text }) => response.writeHead(200, { "content-type": type }).end(text),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("the server has no address");
  return {
    address: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer({ pathname, searchParams }: URL): Promise<{ type: string; text: string }> {
  if (pathname === "/page") {
    const module = JSON.stringify(searchParams.get("module") ?? "");
    const imports = JSON.stringify({ imports: { "zod/mini": "/zod/mini/index.js" } });
    const text = `<!doctype html><meta charset="utf-8"><title>call</title>
<script type="importmap">${imports}</script>
<script type="module">import(${module.replaceAll("<", "\\u003c")}).then(() => { window.isReady = true; });</script>`;
    return { type: "text/html", text };
  }
  const [, name = "", ...rest] = normalize(pathname).split(sep);
  const folder = served[name];
  if (folder === undefined || rest.includes("..")) throw new Error("nothing is served there");
  const source = await readFile(join(folder, ...rest), "utf8");
  const text = pathname.endsWith(".ts") ? stripTypeScriptTypes(source) : source;
  return { type: "text/javascript", text };
}
