import assert from "node:assert/strict";

const functions = new URL("../../", import.meta.url);
const root = new URL("../../../../", import.meta.url);

async function importsOf(config: URL): Promise<Record<string, string>> {
  const json: unknown = JSON.parse(await Deno.readTextFile(config));
  assert.ok(typeof json === "object" && json !== null && "imports" in json);
  assert.ok(typeof json.imports === "object" && json.imports !== null);
  return Object.fromEntries(Object.entries(json.imports).map(([name, target]) => [name, String(target)]));
}

/** What a module needs when it runs: imports of types only do not outlive the compiler. */
function specifiersOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, "");
  const found = code.matchAll(/^\s*(?:import|export)\s+(?!type\b)(?:[^"';]*?\bfrom\s*)?["']([^"']+)["']/gm);
  return [...found].map((match) => match[1] ?? "");
}

/** The packages that a module and everything below it import by a bare name. */
async function packagesOf(entry: URL): Promise<Set<string>> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const visit = async (file: URL): Promise<void> => {
    if (seen.has(file.href)) return;
    seen.add(file.href);
    for (const specifier of specifiersOf(await Deno.readTextFile(file))) {
      if (specifier.startsWith(".")) await visit(new URL(specifier, file));
      else if (!specifier.startsWith("node:")) packages.add(specifier);
    }
  };
  await visit(entry);
  return packages;
}

const names: string[] = [];
for await (const entry of Deno.readDir(functions)) {
  if (entry.isDirectory && !entry.name.startsWith("_") && entry.name !== "tests") names.push(entry.name);
}

Deno.test("the functions are found, and so are the packages they import", async () => {
  for (const name of [
    "agora-events",
    "call-token",
    "play-recording",
    "run-control",
    "run-notify",
    "run-storage",
  ])
    assert.ok(names.includes(name));
  const packages = await packagesOf(new URL("run-storage/index.ts", functions));
  assert.deepEqual([...packages].sort(), [
    "@supabase/postgrest-js",
    "aws4fetch",
    "fast-xml-parser",
    "hls-parser",
    "zod",
  ]);
});

for (const name of names.sort()) {
  Deno.test(`${name} maps every package that it imports, and no other`, async () => {
    const imports = await importsOf(new URL(`${name}/deno.json`, functions));
    const packages = await packagesOf(new URL(`${name}/index.ts`, functions));
    assert.deepEqual(Object.keys(imports).sort(), [...packages].sort());
  });
}

for (const name of [...names, "tests"]) {
  Deno.test(`${name} takes the same versions as the project`, async () => {
    const ours = await importsOf(new URL(`${name}/deno.json`, functions));
    const project = await importsOf(new URL("deno.json", root));
    for (const [specifier, target] of Object.entries(ours))
      assert.equal(target, project[specifier], specifier);
  });
}

Deno.test("the project's versions are exact, and those that are installed", async () => {
  const manifest: unknown = JSON.parse(await Deno.readTextFile(new URL("package.json", root)));
  assert.ok(typeof manifest === "object" && manifest !== null && "devDependencies" in manifest);
  const installed = new Map(Object.entries(manifest.devDependencies ?? {}));
  for (const [specifier, target] of Object.entries(await importsOf(new URL("deno.json", root)))) {
    assert.equal(target, `npm:${specifier}@${installed.get(specifier)}`);
    assert.match(target, /@\d+\.\d+\.\d+$/);
  }
});
