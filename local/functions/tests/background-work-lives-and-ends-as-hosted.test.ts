import { afterEach, describe, expect, test } from "vitest";
import type { FunctionsSettingsInput } from "../settings.ts";
import { eventually, isAlive, openTo, type TemporaryProject, temporaryProject } from "./temporary-project.ts";

let project: TemporaryProject;
afterEach(() => project.remove());

/** One function `works` that answers its pid and does the given thing under waitUntil. */
async function working(background: string, changes: Partial<FunctionsSettingsInput> = {}) {
  project = await temporaryProject(
    {
      "config.toml": openTo("works"),
      "functions/works/index.ts": `
        const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
        addEventListener("beforeunload", (event) => console.log("unload: " + event.detail.reason));
        Deno.serve((request) => {
          if (request.url.endsWith("/work")) EdgeRuntime.waitUntil((async () => { ${background} })());
          return new Response(String(Deno.pid));
        });`,
    },
    changes,
  );
  const functions = await project.start();
  const call = async (path = "") => Number(await (await fetch(`${functions.address}/works${path}`)).text());
  return { functions, call };
}

describe("Work given to EdgeRuntime.waitUntil", () => {
  test("does not hold back the answer and is finished after it", async () => {
    const { call } = await working(`await sleep(100); console.log("work done");`);
    await call("/work");
    expect(project.lines).not.toContain("works: work done");
    await eventually("the work is done", () => project.lines.includes("works: work done"));
  });

  test("that fails is in the log, and the function goes on", async () => {
    const { call } = await working(`throw new Error("no luck");`);
    const pid = await call("/work");
    await eventually("the failure is logged", () => project.lines.some((line) => line.includes("no luck")));
    expect(await call()).toBe(pid);
  });

  test("is waited for by a graceful stop, which tells beforeunload with reason termination", async () => {
    const { functions, call } = await working(`await sleep(200); console.log("work done");`);
    const pid = await call("/work");
    await functions.stop();
    expect(project.lines).toEqual(expect.arrayContaining(["works: unload: termination", "works: work done"]));
    expect(isAlive(pid)).toBe(false);
  });

  test("is cut off by a stop when the grace is over", async () => {
    const { functions, call } = await working(`await sleep(60_000);`, { stopGraceSeconds: 0.2 });
    const pid = await call("/work");
    const begun = performance.now();
    await functions.stop();
    expect(performance.now() - begun).toBeLessThan(30_000);
    expect(isAlive(pid)).toBe(false);
  });

  test("at half the wall clock another process takes the requests, at the whole it is told wall_clock and killed", async () => {
    const { call } = await working(`await sleep(60_000);`, { wallClockSeconds: 4 });
    const pid = await call("/work");
    await eventually("another process serves", async () => (await call()) !== pid);
    expect(isAlive(pid)).toBe(true);
    await eventually("the old process is gone", () => !isAlive(pid));
    expect(project.lines).toContain("works: unload: wall_clock");
    expect(project.lines).toContain('works reached its wall clock limit {"seconds":4}');
  });

  test("a process that is idle does not age", async () => {
    const { call } = await working("", { wallClockSeconds: 0.3 });
    const pid = await call();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await call()).toBe(pid);
  });
});

describe("A request that outlives the wall clock", () => {
  test("is answered 546 WORKER_LIMIT", async () => {
    project = await temporaryProject(
      {
        "config.toml": openTo("hangs"),
        "functions/hangs/index.ts": `Deno.serve(() => new Promise(() => {}));`,
      },
      { wallClockSeconds: 0.4 },
    );
    const functions = await project.start();
    const answer = await fetch(`${functions.address}/hangs`);
    expect(answer.status).toBe(546);
    expect(answer.headers.get("sb-error-code")).toBe("WORKER_LIMIT");
  });
});
