import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SignJWT } from "jose";
import type { Log } from "../../stack/part.ts";
import { type RunningFunctions, startFunctions } from "../server.ts";
import { type FunctionsSettingsInput, functionsSettings } from "../settings.ts";

const nodeModules = fileURLToPath(new URL("../../../node_modules", import.meta.url));
// Deno's cache of compiled modules is shared by the tests, as it is kept between starts of the stack.
const cacheDir = join(tmpdir(), "functions-runner-tests-deno-cache");

export const jwtSecret = "a-secret-of-at-least-32-characters-for-tests";

export interface TemporaryProject {
  folder: string;
  functionsDir: string;
  configFile: string;
  settings: FunctionsSettingsInput;
  /** Every log line so far. */
  lines: string[];
  log: Log;
  write(path: string, text: string): Promise<void>;
  start(): Promise<RunningFunctions>;
  /** Ends what was started and removes the folder. */
  remove(): Promise<void>;
}

/** A project folder with the given files (paths inside `supabase/`) in the system's temporary folder. */
export async function temporaryProject(
  files: Record<string, string>,
  changes: Partial<FunctionsSettingsInput> = {},
): Promise<TemporaryProject> {
  const folder = await mkdtemp(join(tmpdir(), "functions-runner-"));
  await symlink(nodeModules, join(folder, "node_modules"));
  const inside = (path: string) => join(folder, "supabase", path);
  const write = async (path: string, text: string) => {
    await mkdir(dirname(inside(path)), { recursive: true });
    await writeFile(inside(path), text);
  };
  for (const [path, text] of Object.entries({ "config.toml": "", ...files })) await write(path, text);
  await mkdir(inside("functions"), { recursive: true });
  const lines: string[] = [];
  const log: Log = (message, fields) => lines.push(fields ? `${message} ${JSON.stringify(fields)}` : message);
  const started: RunningFunctions[] = [];
  const settings: FunctionsSettingsInput = {
    port: 0,
    functionsDir: inside("functions"),
    configFile: inside("config.toml"),
    cacheDir,
    env: { SUPABASE_URL: "http://127.0.0.1:1" },
    jwtSecret,
    publishableKey: "sb_publishable_test",
    secretKey: "sb_secret_test",
    ...changes,
  };
  return {
    folder,
    functionsDir: inside("functions"),
    configFile: inside("config.toml"),
    settings,
    lines,
    log,
    write,
    async start() {
      const running = await startFunctions(functionsSettings.parse(settings), log);
      started.push(running);
      return running;
    },
    async remove() {
      await Promise.all(started.map((running) => running.stop()));
      await rm(folder, { recursive: true });
    },
  };
}

/** config.toml in which these functions do not check tokens. */
export function openTo(...names: string[]): string {
  return names.map((name) => `[functions.${name}]\nverify_jwt = false\n`).join("\n");
}

/** A token as the local project signs it. */
export function token(
  change: { secret?: string; expiresIn?: string; algorithm?: string } = {},
): Promise<string> {
  return new SignJWT({ role: "authenticated" })
    .setProtectedHeader({ alg: change.algorithm ?? "HS256" })
    .setSubject("5b0c2a52-0a75-4d29-8b1c-4f1b6e8f4f10")
    .setExpirationTime(change.expiresIn ?? "1h")
    .sign(new TextEncoder().encode(change.secret ?? jwtSecret));
}

/** Waits until the check gives something true; fails after five seconds. */
export async function eventually<T>(what: string, check: () => T | Promise<T>): Promise<T> {
  const until = performance.now() + 30_000;
  for (;;) {
    const result = await check();
    if (result) return result;
    if (performance.now() > until) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Whether a process exists (and is not merely a dead one nobody has waited for). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
