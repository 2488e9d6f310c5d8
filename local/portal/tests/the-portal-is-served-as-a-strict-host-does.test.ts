import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { quietLog } from "../../stack/part.ts";
import { startPortal } from "../server.ts";
import { portalSettings } from "../settings.ts";

const projectDir = resolve(import.meta.dirname, "../../..");
let portal: Awaited<ReturnType<typeof startPortal>>;

beforeAll(async () => {
  portal = await startPortal(
    portalSettings.parse({
      port: 0,
      sourceDir: join(projectDir, "web"),
      buildsDir: join(projectDir, "node_modules", ".cache", "portal"),
      supabaseUrl: "http://127.0.0.1:54321",
      supabaseKey: "sb_publishable_of_a_test",
      mediaUrls: ["http://127.0.0.1:54325/some/path"],
      callTransport: "local",
      callTransportUrl: "ws://127.0.0.1:54326/calls",
    }),
    quietLog,
  );
});
afterAll(() => portal.stop());

const get = (path: string, options: RequestInit = {}) => fetch(`${portal.address}${path}`, options);
const policyOf = (response: Response): Map<string, string[]> =>
  new Map(
    (response.headers.get("content-security-policy") ?? "").split("; ").map((rule) => {
      const [name = "", ...sources] = rule.split(" ");
      return [name, sources] as const;
    }),
  );

test("every address of a page answers the page, which is asked for each time", async () => {
  for (const path of [
    "/",
    "/sign-in",
    "/recordings/55000000-0000-4000-8000-000000000001",
    "/video-call/x/recordings?status=failed",
  ]) {
    const response = await get(path);
    expect([
      response.status,
      response.headers.get("content-type"),
      response.headers.get("cache-control"),
    ]).toEqual([200, "text/html; charset=utf-8", "no-cache"]);
    expect(await response.text()).toContain('<div id="portal">');
  }
});

test("what carries its hash in its name is kept for ever, and a file that is not there is missing", async () => {
  const page = await (await get("/")).text();
  const asset = /\/assets\/[^"]+\.js/.exec(page)?.[0] ?? "";
  const response = await get(asset);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
  for (const path of ["/assets/gone.js", "/favicon.ico", "/.vite/manifest.json", "/..%2f..%2fpackage.json"]) {
    expect((await get(path)).status, path).toBe(404);
  }
});

test("what has not changed is not sent again", async () => {
  const etag = (await get("/theme.js")).headers.get("etag") ?? "";
  expect((await get("/theme.js", { headers: { "if-none-match": etag } })).status).toBe(304);
});

test("/config.json says where the backend is, and nothing else", async () => {
  expect(await (await get("/config.json")).json()).toEqual({
    supabaseUrl: "http://127.0.0.1:54321",
    supabaseKey: "sb_publishable_of_a_test",
    callTransport: "local",
  });
});

test("the policy lets in our own files, and lets pages speak to the backend, the store and the media server only", async () => {
  const policy = policyOf(await get("/"));
  expect(policy.get("default-src")).toEqual(["'self'"]);
  expect(policy.get("script-src")).toEqual(["'self'"]);
  expect(policy.get("style-src")).toEqual(["'self'"]);
  expect(policy.get("worker-src")).toEqual(["'self'"]);
  expect(policy.get("frame-ancestors")).toEqual(["'none'"]);
  // The functions' playlists too: an iPhone plays them itself.
  expect(policy.get("media-src")?.toSorted()).toEqual(
    ["'self'", "blob:", "http://127.0.0.1:54321", "http://127.0.0.1:54325"].toSorted(),
  );
  expect(policy.get("connect-src")?.toSorted()).toEqual(
    [
      "'self'",
      "http://127.0.0.1:54321",
      "ws://127.0.0.1:54321",
      "http://127.0.0.1:54325",
      "ws://127.0.0.1:54326",
    ].toSorted(),
  );
});

test("a page may ask for camera and microphone, which a browser refuses without a word otherwise", async () => {
  const allowed = (await get("/")).headers.get("permissions-policy") ?? "";
  for (const feature of ["camera", "microphone", "display-capture", "autoplay"])
    expect(allowed).toContain(`${feature}=(self)`);
});

test("nothing can be written", async () => {
  expect((await get("/", { method: "POST" })).status).toBe(405);
});

test("a portal that cannot be built says why, and gives its port back", async () => {
  const buildsDir = await mkdtemp(join(tmpdir(), "portal-"));
  try {
    const broken = portalSettings.parse({
      port: 0,
      sourceDir: join(projectDir, "docs"),
      buildsDir,
      supabaseUrl: "http://127.0.0.1:54321",
      supabaseKey: "sb_publishable_of_a_test",
      mediaUrls: [],
    });
    await expect(startPortal(broken, quietLog)).rejects.toThrow("the portal cannot be built");
  } finally {
    await rm(buildsDir, { recursive: true, force: true });
  }
});
