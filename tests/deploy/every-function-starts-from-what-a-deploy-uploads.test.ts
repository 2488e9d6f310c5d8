/** A deploy uploads a function's entry, what it imports by relative paths, and its deno.json. Nothing else may be needed. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findFunctions } from "../../local/functions/function-folders.ts";
import { type RunningFunctions, startFunctions } from "../../local/functions/server.ts";
import { functionsSettings } from "../../local/functions/settings.ts";
import { functionsEnvironment } from "../../local/stack/environment.ts";
import { generateKeys } from "../../local/stack/keys.ts";
import { quietLog } from "../../local/stack/part.ts";
import { defaultPorts } from "../../local/stack/ports.ts";
import { emptyUserEnvironment } from "../../local/stack/user-environment.ts";

const projectDir = join(import.meta.dirname, "../..");
const functionsDir = join(projectDir, "supabase/functions");
const configFile = join(projectDir, "supabase/config.toml");
const functions = await findFunctions(functionsDir, configFile);
const keys = generateKeys();

let folder = "";
let uploaded: string[] = [];
let running: RunningFunctions;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "uploaded-"));
  const copyDir = join(folder, "supabase/functions");
  const files = await Promise.all(
    functions.map(({ entryFile, denoConfig }) => filesOf(entryFile, denoConfig)),
  );
  uploaded = [...new Set(files.flat())];
  for (const file of uploaded) {
    const copy = join(copyDir, relative(functionsDir, file));
    await mkdir(dirname(copy), { recursive: true });
    await cp(file, copy);
  }
  await cp(configFile, join(folder, "supabase/config.toml"));
  // Hosted fetches the packages that deno.json names; here they come from where they are installed.
  await symlink(join(projectDir, "node_modules"), join(folder, "node_modules"));
  // Nobody listens there: a function that starts answers all the same.
  const env = functionsEnvironment(
    keys,
    { ...defaultPorts, gateway: 9, b2: 9, agora: 9 },
    "postgresql://127.0.0.1:9/postgres",
    emptyUserEnvironment,
  );
  running = await startFunctions(
    functionsSettings.parse({
      port: 0,
      functionsDir: copyDir,
      configFile: join(folder, "supabase/config.toml"),
      cacheDir: join(folder, "deno"),
      env,
      jwtSecret: keys.jwtSecret,
      publishableKey: keys.publishableKey,
      secretKey: keys.secretKey,
    }),
    quietLog,
  );
});
afterAll(async () => {
  await running?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The entry, its deno.json, and every file that is reached by relative imports; types too, as the bundler follows them. */
async function filesOf(entryFile: string, denoConfig: string | undefined): Promise<string[]> {
  const seen = new Set<string>(denoConfig === undefined ? [] : [denoConfig]);
  const visit = async (file: string): Promise<void> => {
    if (seen.has(file)) return;
    seen.add(file);
    const source = await readFile(file, "utf8");
    const specifiers = [...source.matchAll(/\b(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g)];
    for (const [, specifier = ""] of specifiers) await visit(resolve(dirname(file), specifier));
  };
  await visit(entryFile);
  return [...seen];
}

test("nothing outside of supabase/functions is uploaded, and no test", () => {
  expect(uploaded.length).toBeGreaterThan(functions.length);
  const names = uploaded.map((file) => relative(functionsDir, file));
  expect(names.filter((name) => name.startsWith("..") || name.startsWith("tests/"))).toEqual([]);
});

test.each(functions.map(({ name }) => name))(
  "%s starts from the copy and answers by itself",
  async (name) => {
    const response = await fetch(`${running.address}/${name}`, { method: "DELETE" });
    const text = await response.text();
    // The platform's own answers (no such function, does not start, token wanted) carry this header.
    expect([response.headers.get("sb-error-code"), text]).toEqual([null, text]);
    expect([400, 401, 405]).toContain(response.status);
  },
);
