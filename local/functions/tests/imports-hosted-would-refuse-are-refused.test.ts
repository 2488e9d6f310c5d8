import { afterEach, describe, expect, test } from "vitest";
import { openTo, type TemporaryProject, temporaryProject } from "./temporary-project.ts";

let project: TemporaryProject;
afterEach(() => project.remove());

/** The status that a function with these files answers. */
async function statusWith(files: Record<string, string>): Promise<number> {
  project = await temporaryProject({ "config.toml": openTo("one"), ...files });
  const { address } = await project.start();
  return (await fetch(`${address}/one`)).status;
}
const serving = `Deno.serve(() => new Response("well"));`;
const mapped = `{ "imports": { "zod": "npm:zod@4.6.7", "shared/": "../_shared/" } }`;

describe("A package that stands in node_modules", () => {
  test("but not in the function's deno.json is refused with BOOT_ERROR and named in the log", async () => {
    expect(await statusWith({ "functions/one/index.ts": `import { z } from "zod";\n${serving}` })).toBe(503);
    expect(project.lines.join("\n")).toMatch(/one\/index\.ts imports "zod", which the function's deno\.json/);
  });

  test("is also refused when a shared module imports it, in several lines or while running", async () => {
    const status = await statusWith({
      "functions/one/deno.json": "{}",
      "functions/one/index.ts": `import "../_shared/a.ts";\nimport "../_shared/b.ts";\n${serving}`,
      "functions/_shared/a.ts": `export {\n  z,\n} from "zod";`,
      "functions/_shared/b.ts": `export const later = () => import("jose");`,
    });
    expect(status).toBe(503);
    expect(project.lines.join("\n")).toMatch(
      /_shared\/a\.ts imports "zod"[\s\S]*_shared\/b\.ts imports "jose"/,
    );
  });

  test("passes when it is mapped, by name, by path below it or by npm: in the import itself", async () => {
    const status = await statusWith({
      "functions/one/deno.json": mapped,
      "functions/one/index.ts": `
        import { z } from "zod";
        import * as mini from "zod/mini";
        import { z as direct } from "npm:zod@4.6.7";
        import { Buffer } from "node:buffer";
        import type { nothing } from "not-there";
        // import comment from "nowhere";
        /* import comment
           import other from "nowhere"; */
        const text = "import z from 'quoted'";
        console.log(z, mini, direct, Buffer, text);
        ${serving}`,
    });
    expect(project.lines.filter((line) => line.includes("deno.json"))).toEqual([]);
    expect(status).toBe(200);
  });
});
