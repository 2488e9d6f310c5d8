import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { defaultFunctionConfig, type FunctionConfig, readFunctionConfigs } from "./function-config.ts";

/** One function as its folder and config.toml define it; all paths are absolute. */
export interface FunctionDefinition {
  name: string;
  entryFile: string;
  denoConfig: string | undefined;
  verifyJwt: boolean;
}

/**
 * Finds the functions: every folder but those beginning with `_` or `.` and `tests`, as `supabase functions deploy`
 * takes them, without those that config.toml turns off.
 *
 * @throws where config.toml cannot be read, names a function that has no folder, or a name is none hosted would take
 */
export async function findFunctions(functionsDir: string, configFile: string): Promise<FunctionDefinition[]> {
  const configs = readFunctionConfigs(await readFile(configFile, "utf8"));
  const names = (await readdir(functionsDir, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && !/^[_.]/.test(entry.name) && entry.name !== "tests")
    .map((entry) => entry.name)
    .sort();
  for (const name of names) {
    if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name)) throw new Error(`${name} cannot be the name of a function`);
  }
  for (const [name, config] of configs) {
    if (config.enabled && !names.includes(name)) {
      throw new Error(`config.toml declares the function ${name}, which has no folder`);
    }
  }
  return names
    .map((name) => ({ name, config: configs.get(name) ?? defaultFunctionConfig }))
    .filter(({ config }) => config.enabled)
    .map(({ name, config }) => define(name, config, functionsDir, dirname(configFile)));
}

function define(
  name: string,
  config: FunctionConfig,
  functionsDir: string,
  configDir: string,
): FunctionDefinition {
  const folder = join(functionsDir, name);
  const beside = ["deno.json", "deno.jsonc"]
    .map((file) => join(folder, file))
    .find((file) => existsSync(file));
  return {
    name,
    entryFile: config.entrypoint ? resolve(configDir, config.entrypoint) : join(folder, "index.ts"),
    denoConfig: config.importMap ? resolve(configDir, config.importMap) : beside,
    verifyJwt: config.verifyJwt,
  };
}
