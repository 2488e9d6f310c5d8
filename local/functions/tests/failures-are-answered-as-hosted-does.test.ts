import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningFunctions } from "../server.ts";
import { eventually, openTo, type TemporaryProject, temporaryProject } from "./temporary-project.ts";

let project: TemporaryProject;
let functions: RunningFunctions;
const call = (name: string, path = "") => fetch(`${functions.address}/${name}${path}`);
const refused = async (answer: Response) => {
  const { code, message } = await answer.json();
  return { status: answer.status, header: answer.headers.get("sb-error-code"), code, message };
};
const workerError = {
  status: 500,
  header: "WORKER_ERROR",
  code: "WORKER_ERROR",
  message: "Function exited due to an error (please check logs)",
};
const workerLimit = {
  status: 546,
  header: "WORKER_LIMIT",
  code: "WORKER_LIMIT",
  message: "Function failed due to not having enough compute resources (please check logs)",
};
const bootError = {
  status: 503,
  header: "BOOT_ERROR",
  code: "BOOT_ERROR",
  message: "Function failed to start (please check logs)",
};

beforeAll(async () => {
  const names = [
    "broken",
    "silent",
    "crashes",
    "hoards-objects",
    "hoards-buffers",
    "sleeps",
    "throws",
    "well",
  ];
  project = await temporaryProject(
    {
      "config.toml": openTo(...names),
      "functions/broken/index.ts": `import "./nowhere.ts";`,
      "functions/silent/index.ts": `export const nothing = 1;`,
      "functions/crashes/index.ts": `Deno.serve(async (request) => {
        if (!request.url.endsWith("/boom")) return new Response(String(Deno.pid));
        setTimeout(() => { throw new Error("out of nowhere"); }, 1);
        await new Promise(() => {});
      });`,
      "functions/hoards-objects/index.ts": `const kept = []; Deno.serve((request) => {
        while (request.url.endsWith("/more")) kept.push({ value: Math.random(), text: "t" + Math.random() });
        return new Response("fine");
      });`,
      "functions/hoards-buffers/index.ts": `const kept = []; Deno.serve(async (request) => {
        while (request.url.endsWith("/more")) {
          kept.push(new Uint8Array(4 * 1024 * 1024).fill(1));
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        return new Response("fine");
      });`,
      "functions/sleeps/index.ts": `Deno.serve(async (request) => {
        if (request.url.endsWith("/long")) await new Promise(() => {});
        return new Response("awake");
      });`,
      "functions/throws/index.ts": `Deno.serve(() => { throw new Error("of its own"); });`,
      "functions/well/index.ts": `Deno.serve(() => new Response("well"));`,
    },
    { memoryMb: 64, idleTimeoutSeconds: 8 },
  );
  functions = await project.start();
});
afterAll(() => project.remove());

describe("A module that fails to load", () => {
  test("is answered 503 BOOT_ERROR, its reason is in the log, and the others serve", async () => {
    expect(await refused(await call("broken"))).toEqual(bootError);
    expect(project.lines.join("\n")).toMatch(/broken: .*Module not found.*nowhere\.ts/);
    expect(await (await call("well")).text()).toBe("well");
  });
  test("is also one that serves nothing", async () => {
    expect(await refused(await call("silent"))).toEqual(bootError);
    expect(project.lines.join("\n")).toContain("neither calls Deno.serve nor exports default { fetch }");
  });
});

describe("A process that dies", () => {
  test("answers the requests in it with 500 WORKER_ERROR, and a new process answers the next one", async () => {
    const before = await (await call("crashes")).text();
    expect(await refused(await call("crashes", "/boom"))).toEqual(workerError);
    const after = await (await call("crashes")).text();
    expect(after).not.toBe(before);
    expect(project.lines.join("\n")).toContain("crashes: error: Uncaught Error: out of nowhere");
    expect(project.lines).toContain('crashes died and is started again {"in_ms":100}');
  });
  test("again and again waits longer each time", async () => {
    await call("crashes", "/boom");
    await call("crashes", "/boom");
    expect(project.lines).toContain('crashes died and is started again {"in_ms":200}');
  });
  test("is not one whose handler throws: that is the function's own 500", async () => {
    const answer = await call("throws");
    expect(answer.status).toBe(500);
    expect(answer.headers.get("sb-error-code")).toBeNull();
    expect(await answer.text()).toBe("Internal Server Error");
  });
});

describe("The memory limit", () => {
  test("ends a function that keeps too many objects: 546 WORKER_LIMIT, then it serves again", async () => {
    expect(await refused(await call("hoards-objects", "/more"))).toEqual(workerLimit);
    expect(await (await call("hoards-objects")).text()).toBe("fine");
  });
  test("counts buffers, which V8 does not hold against its heap", async () => {
    expect(await refused(await call("hoards-buffers", "/more"))).toEqual(workerLimit);
    expect(await (await call("hoards-buffers")).text()).toBe("fine");
  });
});

describe("The limit until the first byte", () => {
  test("answers 504 IDLE_TIMEOUT while the function goes on serving", async () => {
    const answer = await refused(await call("sleeps", "/long"));
    expect(answer).toMatchObject({ status: 504, header: "IDLE_TIMEOUT", code: "IDLE_TIMEOUT" });
    expect(await (await call("sleeps")).text()).toBe("awake");
  });
});

describe("A caller that hangs up", () => {
  test("is heard by the function through its request's signal", async () => {
    await project.write(
      "functions/well/index.ts",
      `Deno.serve(async (request) => {
        if (!request.url.endsWith("/wait")) return new Response("changed");
        console.log("waiting");
        request.signal.addEventListener("abort", () => console.log("caller gone"));
        await new Promise(() => {});
      });`,
    );
    await eventually("the new code serves", async () => (await (await call("well")).text()) === "changed");
    const hangUp = new AbortController();
    const pending = fetch(`${functions.address}/well/wait`, { signal: hangUp.signal }).catch(
      (error) => error.name,
    );
    await eventually("the request has arrived", () => project.lines.includes("well: waiting"));
    hangUp.abort();
    expect(await pending).toBe("AbortError");
    await eventually("the function hears of it", () => project.lines.includes("well: caller gone"));
  });
});
