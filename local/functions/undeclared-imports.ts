import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { z } from "zod";

const denoJson = z.object({ imports: z.record(z.string(), z.string()).default({}) });

/**
 * Finds imports by a bare name that the function's deno.json does not map, in its entry and in all files it reaches by
 * relative paths. Deno would find such a package in a `node_modules` above; hosted has none and refuses the deployment.
 *
 * @returns one line per import, empty where all is well; also where a file cannot be read, which Deno tells better
 */
export async function undeclaredImports(
  entryFile: string,
  denoConfig: string | undefined,
): Promise<string[]> {
  // A deno.jsonc may hold comments, which are not worth a second reader.
  if (denoConfig?.endsWith(".jsonc")) return [];
  const { imports } = denoJson.parse(denoConfig ? JSON.parse(await readFile(denoConfig, "utf8")) : {});
  const found: string[] = [];
  const seen = new Set<string>();
  const visit = async (file: string): Promise<void> => {
    if (seen.has(file)) return;
    seen.add(file);
    const source = await readFile(file, "utf8").catch(() => "");
    for (const specifier of specifiersOf(source)) {
      if (/^\.{0,2}\//.test(specifier)) await visit(resolve(dirname(file), specifier));
      else if (!/^[a-z]+:/.test(specifier) && !isMapped(specifier, imports)) {
        found.push(`${file} imports "${specifier}", which the function's deno.json does not name`);
      }
    }
  };
  await visit(entryFile);
  return found;
}

function isMapped(specifier: string, imports: Record<string, string>): boolean {
  return Object.entries(imports).some(
    ([name, target]) =>
      specifier === name ||
      (name.endsWith("/") && specifier.startsWith(name)) ||
      (/^(npm|jsr):/.test(target) && specifier.startsWith(`${name}/`)),
  );
}

/** What a module's text imports, but for imports of types only, which do not outlive the compiler. */
function specifiersOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, "");
  const statements = /^[ \t]*(?:import|export)\b(?!\s+type\b)(?:[^"'`;=()]*?\bfrom)?\s*["']([^"'\n]+)["']/gm;
  const calls = /\bimport\(\s*["']([^"'\n]+)["']/g;
  return [...code.matchAll(statements), ...code.matchAll(calls)].flatMap(([, specifier]) => specifier ?? []);
}
