import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningFunctions } from "../server.ts";
import { openTo, type TemporaryProject, temporaryProject } from "./temporary-project.ts";

let project: TemporaryProject;
let functions: RunningFunctions;
const get = (path: string, init?: RequestInit) => fetch(`${functions.address}${path}`, init);

beforeAll(async () => {
  project = await temporaryProject(
    {
      "config.toml": openTo("serves", "exports", "validates", "looks-around", "streams", "listens-elsewhere"),
      "functions/_shared/greeting.ts": `export const greeting = "hello";`,
      "functions/tests/serves-test.ts": `throw new Error("tests are no function");`,
      "functions/serves/index.ts": `
        import { greeting } from "../_shared/greeting.ts";
        Deno.serve((request) => Response.json({ greeting, url: request.url, method: request.method }));`,
      "functions/exports/index.ts": `
        export default { name: "exported", fetch() { return new Response(this.name); } };`,
      "functions/validates/deno.json": `{ "imports": { "zod": "npm:zod@4.6.7" } }`,
      "functions/validates/index.ts": `
        import { z } from "zod";
        const body = z.object({ id: z.number() });
        Deno.serve(async (request) => Response.json(body.safeParse(await request.json()).success));`,
      "functions/looks-around/index.ts": `
        const attempt = (act) => { try { act(); return "done"; } catch (error) { return error.name; } };
        Deno.serve(async () => Response.json({
          env: Deno.env.toObject(),
          missing: Deno.env.get("AGORA_CUSTOMER_ID") ?? null,
          run: attempt(() => new Deno.Command("/bin/true").outputSync()),
          write: attempt(() => Deno.writeTextFileSync(new URL("./index.ts", import.meta.url), "")),
          ffi: attempt(() => Deno.dlopen("libc.so.6", {})),
          readElsewhere: attempt(() => Deno.readTextFileSync("/etc/passwd")),
          readOwn: Deno.readTextFileSync(new URL("./index.ts", import.meta.url)).length > 0,
        }));`,
      "functions/streams/index.ts": `
        Deno.serve((request) => {
          if (request.method === "GET") return new Response("<p>", { headers: { "content-type": "text/html" } });
          return new Response(request.body.pipeThrough(new TransformStream()), { headers: { "x-kind": "echo" } });
        });`,
      "functions/listens-elsewhere/index.ts": `
        Deno.serve({ port: 80, hostname: "0.0.0.0", handler: () => new Response("moved") });`,
    },
    { env: { SUPABASE_URL: "http://127.0.0.1:1", BACKBLAZE_B2_BUCKET_NAME: "bucket" } },
  );
  functions = await project.start();
});
afterAll(() => project.remove());

describe("A function runs unmodified", () => {
  test("the folders that are functions are found, shared ones and tests are not", () => {
    expect(functions.names()).toEqual([
      "exports",
      "listens-elsewhere",
      "looks-around",
      "serves",
      "streams",
      "validates",
    ]);
  });

  test("Deno.serve answers, with shared modules, and sees its own name first in the path", async () => {
    const answer = await get("/functions/v1/serves/deep/path?q=1", { headers: { host: "project.example" } });
    expect(await answer.json()).toEqual({
      greeting: "hello",
      method: "GET",
      url: `${functions.address}/serves/deep/path?q=1`,
    });
  });

  test("the path without /functions/v1 is the same function", async () => {
    expect((await get("/serves")).status).toBe(200);
  });

  test("export default { fetch } answers, with the object as this", async () => {
    expect(await (await get("/exports")).text()).toBe("exported");
  });

  test("a package named in the function's deno.json is found", async () => {
    const answer = await get("/validates", { method: "POST", body: JSON.stringify({ id: 1 }) });
    expect(await answer.json()).toBe(true);
  });

  test("the environment holds what hosted gives and nothing of this machine, and a missing name is undefined", async () => {
    const { env, missing } = await (await get("/looks-around")).json();
    expect(env).toEqual({
      SUPABASE_URL: "http://127.0.0.1:1",
      SUPABASE_ANON_KEY: "sb_publishable_test",
      SUPABASE_SERVICE_ROLE_KEY: "sb_secret_test",
      SUPABASE_PUBLISHABLE_KEYS: '{"default":"sb_publishable_test"}',
      SUPABASE_SECRET_KEYS: '{"default":"sb_secret_test"}',
      SUPABASE_FUNCTION_SLUG: "looks-around",
      BACKBLAZE_B2_BUCKET_NAME: "bucket",
    });
    expect(missing).toBeNull();
  });

  test("it may read its own files, and neither others nor write, run or load native code", async () => {
    const { env, missing, ...rights } = await (await get("/looks-around")).json();
    expect(rights).toEqual({
      run: "NotCapable",
      write: "NotCapable",
      ffi: "NotCapable",
      readElsewhere: "NotCapable",
      readOwn: true,
    });
  });

  test("bodies stream both ways: the first piece is answered before the last one is sent", async () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const pending = get("/streams", { method: "POST", body: readable, duplex: "half" } as RequestInit);
    await writer.write(new TextEncoder().encode("one"));
    const answer = await pending;
    const reader = answer.body?.getReader();
    const first = await reader?.read();
    expect(new TextDecoder().decode(first?.value)).toBe("one");
    await writer.write(new TextEncoder().encode("two"));
    await writer.close();
    const second = await reader?.read();
    expect(new TextDecoder().decode(second?.value)).toBe("two");
    expect(answer.headers.get("x-kind")).toBe("echo");
  });

  test("a page answered to GET arrives as plain text, as on hosted's own domain", async () => {
    expect((await get("/streams")).headers.get("content-type")).toBe("text/plain");
  });

  test("a function cannot choose where it listens", async () => {
    expect(await (await get("/listens-elsewhere")).text()).toBe("moved");
  });
});
