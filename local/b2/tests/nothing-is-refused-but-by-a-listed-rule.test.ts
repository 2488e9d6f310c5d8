import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RefusalId } from "../refusals/refuse.ts";
import { REFUSALS } from "../refusals/refuse.ts";
import { PROBES } from "./refusal-probes.ts";
import type { Site } from "./refusal-site.ts";
import { furnishedSite } from "./refusal-site.ts";
import { texts } from "./running-store.ts";

let site: Site;
beforeAll(async () => {
  site = await furnishedSite();
});
afterAll(() => site.remove());

async function told(answer: Response): Promise<readonly [number, string | undefined, string | undefined]> {
  if (answer.type === "error") return [0, undefined, undefined];
  const text = await answer.text();
  return [answer.status, texts(text, "Code")[0], texts(text, "Message")[0]];
}

describe("the list of refusals", () => {
  test("has a probe for every rule, and no probe is left over", () => {
    expect(Object.keys(PROBES).sort()).toEqual(Object.keys(REFUSALS).sort());
    expect(Object.keys(REFUSALS).length).toBeGreaterThan(80);
  });

  test("names for every rule what it refuses and where that is known from", () => {
    const rows: [string, { what: string; source: string }][] = Object.entries(REFUSALS);
    const bare = rows.filter(([, { what, source }]) => what === "" || source === "");
    expect(bare).toEqual([]);
  });

  test("is all that the code refuses by, and every rule of it is in use", () => {
    const folder = resolve(import.meta.dirname, "..");
    const files = globSync("{*,refusals/refuse}.ts", { cwd: folder });
    const sources = files.map((file) => [file, readFileSync(join(folder, file), "utf8")] as const);
    // Beside the list: faults, which are switches, and what a mistake of the store itself is answered with.
    const makers = sources.filter(([, text]) => text.includes("new S3Error(")).map(([file]) => file);
    expect(makers.sort()).toEqual(["fault-effects.ts", "refusals/refuse.ts", "server.ts"]);
    const code = sources.map(([, text]) => text).join("\n");
    expect(Object.keys(REFUSALS).filter((id) => !code.includes(`"${id}"`))).toEqual([]);
  });
});

describe("a request is refused by the rule", () => {
  test.each(Object.entries(PROBES) as [RefusalId, (typeof PROBES)[RefusalId]][])(
    "%s with the documented answer, and without the rule it is not",
    async (id, { answer: [status, code, message], ask }) => {
      const sentence = typeof message === "string" ? message : expect.stringMatching(message);
      const documented = [status, code, sentence];
      expect(await told(await ask(site))).toEqual(documented);
      site.store.lacking.add(id);
      try {
        expect(await told(await ask(site))).not.toEqual(documented);
      } finally {
        site.store.lacking.delete(id);
      }
    },
  );
});
