import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import type { PartMessage } from "../../stack/part.ts";
import { eventually, isAlive, openTo, type TemporaryProject, temporaryProject } from "./temporary-project.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
let project: TemporaryProject;
afterEach(() => project.remove());

async function runner() {
  project = await temporaryProject({
    "config.toml": openTo("one", "two"),
    "functions/one/index.ts": `Deno.serve(() => new Response(String(Deno.pid)));`,
    "functions/two/index.ts": `
      Deno.serve(() => { EdgeRuntime.waitUntil(new Promise(() => {})); return new Response(String(Deno.pid)); });`,
  });
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, PART_SETTINGS: JSON.stringify({ ...project.settings, stopGraceSeconds: 0.2 }) },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  const message = await new Promise<PartMessage>((resolve) => child.once("message", resolve));
  const address = message.type === "ready" ? message.address : undefined;
  const pids = await Promise.all(
    ["one", "two"].map(async (name) => Number(await (await fetch(`${address}/${name}`)).text())),
  );
  return { child, ended, pids };
}

describe("The functions' processes end", () => {
  test("with a runner that is killed without warning", async () => {
    const { child, ended, pids } = await runner();
    expect(pids.map(isAlive)).toEqual([true, true]);
    child.kill("SIGKILL");
    await ended;
    await eventually("no process is left", () => !pids.some(isAlive));
  });

  test("with a runner that is told to end", async () => {
    const { child, ended, pids } = await runner();
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    expect(pids.map(isAlive)).toEqual([false, false]);
  });
});
