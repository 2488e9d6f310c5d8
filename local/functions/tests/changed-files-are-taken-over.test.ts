import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RunningFunctions } from "../server.ts";
import { eventually, isAlive, openTo, type TemporaryProject, temporaryProject } from "./temporary-project.ts";

let project: TemporaryProject;
let functions: RunningFunctions;
const call = (path: string) => fetch(`${functions.address}/${path}`);
const text = async (path: string) => (await call(path)).text();
const answering = (word: string) => `import { word } from "../_shared/word.ts";
  Deno.serve(async (request) => {
    if (request.url.endsWith("/pid")) return new Response(String(Deno.pid));
    if (request.url.endsWith("/slow")) await new Promise((resolve) => setTimeout(resolve, 400));
    return new Response("${word} " + word);
  });`;

beforeEach(async () => {
  project = await temporaryProject({
    "config.toml": openTo("one", "two"),
    "functions/_shared/word.ts": `export const word = "first";`,
    "functions/one/index.ts": answering("one"),
    "functions/two/index.ts": answering("two"),
  });
  functions = await project.start();
});
afterEach(() => project.remove());

describe("A changed file", () => {
  test("of one function gives that function a new process and leaves the others alone", async () => {
    const [pidOne, pidTwo] = [await text("one/pid"), await text("two/pid")];
    await project.write("functions/one/index.ts", answering("uno"));
    await eventually("the new text", async () => (await text("one")) === "uno first");
    expect(await text("one/pid")).not.toBe(pidOne);
    expect(await text("two/pid")).toBe(pidTwo);
    await eventually("the old process ends", () => !isAlive(Number(pidOne)));
    expect(project.lines).toContain('functions changed, new processes take over {"touched":"one"}');
  });

  test("of a shared folder reaches all of them", async () => {
    await project.write("functions/_shared/word.ts", `export const word = "second";`);
    await eventually(
      "both have it",
      async () => (await text("one")) + (await text("two")) === "one secondtwo second",
    );
  });

  test("never leaves a request without an answer: the old process finishes what it has begun", async () => {
    const slow = text("one/slow");
    await project.write("functions/one/index.ts", answering("uno"));
    const seen = new Set<string>();
    await eventually("the new text", async () => {
      const answer = await call("one");
      expect(answer.status).toBe(200);
      seen.add(await answer.text());
      return seen.has("uno first");
    });
    expect(await slow).toBe("one first");
  });

  test("that breaks a function is answered BOOT_ERROR until it is mended", async () => {
    await project.write("functions/one/index.ts", "this is not a program");
    await eventually("it is broken", async () => (await call("one")).status === 503);
    await project.write("functions/one/index.ts", answering("mended"));
    await eventually("it is mended", async () => (await text("one")) === "mended first");
  });
});

describe("A folder", () => {
  test("that appears is served", async () => {
    await project.write("config.toml", openTo("one", "two", "three"));
    await project.write("functions/three/index.ts", answering("three"));
    await eventually("it serves", async () => (await text("three")) === "three first");
  });

  test("that goes away is no longer found, and its process ends", async () => {
    const pid = Number(await text("two/pid"));
    await project.write("config.toml", openTo("one"));
    await rm(join(project.functionsDir, "two"), { recursive: true });
    await eventually("it is gone", async () => (await call("two")).status === 404);
    await eventually("its process ends", () => !isAlive(pid));
  });
});

describe("A changed config.toml", () => {
  test("changes who may call", async () => {
    expect((await call("one")).status).toBe(200);
    await project.write("config.toml", openTo("two"));
    await eventually("the check is on", async () => (await call("one")).status === 401);
  });

  test("that cannot be read is told, and what was served goes on", async () => {
    await project.write("config.toml", "[functions.one]\nverify_jwt = maybe\n");
    await eventually("it is told", () =>
      project.lines.some((line) => /line 2: verify_jwt must be/.test(line)),
    );
    expect(await text("one")).toBe("one first");
  });
});
