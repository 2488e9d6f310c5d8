import { type ChildProcessByStdio, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath, pathToFileURL } from "node:url";
import { z } from "zod";
import type { Log } from "../stack/part.ts";

const here = dirname(fileURLToPath(import.meta.url));
const denoBinary = join(dirname(createRequire(import.meta.url).resolve("deno/package.json")), "deno");

/** Hosted cuts a log line at 10,000 characters. */
const longestLogLine = 10_000;
const bootLimitMs = 30_000;
const memoryCheckMs = 250;
const deafMs = 2_000;

/** Why a process is no more: `limit` = memory or wall clock, `asked` = the runner wanted it, `crash` = all else. */
export type Ending = "asked" | "crash" | "limit";
/** The reasons that hosted gives in the detail of `beforeunload`. */
export type UnloadReason = "wall_clock" | "early_drop" | "termination";

export interface DenoProcessOptions {
  /** The function's name. */
  name: string;
  entryFile: string;
  /** The function's own deno.json, where it has one. */
  denoConfig: string | undefined;
  functionsDir: string;
  cacheDir: string;
  env: Record<string, string>;
  memoryMb: number;
  log: Log;
}

const runtimeMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("listening"), port: z.int() }),
  z.object({ type: z.literal("background"), busy: z.boolean() }),
]);

/** One function in one Deno process with a function's rights: network, reading its own files, its own environment. */
export class DenoProcess {
  /** The port it listens on at 127.0.0.1; rejects with the reason where the module fails to load. */
  readonly listening: Promise<number>;
  readonly ended: Promise<Ending>;
  /** Whether promises given to `EdgeRuntime.waitUntil` are pending. */
  backgroundBusy = false;
  /** Called when `backgroundBusy` changes. */
  onBackgroundChange: () => void = () => undefined;
  readonly pid: number | undefined;

  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #options: DenoProcessOptions;
  #ending: Ending | undefined;
  #baselineKb: number | undefined;

  constructor(options: DenoProcessOptions) {
    this.#options = options;
    const nonce = randomUUID();
    this.#child = spawn(denoBinary, argumentsFor(options), {
      cwd: options.functionsDir,
      env: {
        DENO_DIR: options.cacheDir,
        DENO_NO_UPDATE_CHECK: "1",
        DENO_NO_PACKAGE_JSON: "1",
        NO_COLOR: "1",
      },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.pid = this.#child.pid;
    // A process that dies while it is written to says so by its end; the broken pipe adds nothing.
    this.#child.stdin.on("error", () => undefined);
    this.#send(JSON.stringify({ nonce, entry: pathToFileURL(options.entryFile).href, env: options.env }));

    let outOfMemory = false;
    createInterface({ input: this.#child.stderr }).on("line", (line) => {
      if (/Fatal JavaScript out of memory|Reached heap limit|last resort; GC in old space/.test(line))
        outOfMemory = true;
      this.#print(line);
    });

    const memoryWatch = setInterval(() => void this.#checkMemory(), memoryCheckMs);
    this.ended = new Promise((resolve) => {
      const finish = () => {
        clearInterval(memoryWatch);
        resolve(this.#ending ?? (outOfMemory ? "limit" : "crash"));
      };
      this.#child.once("close", finish);
      this.#child.once("error", (error) => {
        this.#print(`deno could not be started: ${error.message}`);
        finish();
      });
    });

    this.listening = new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        reject(new Error(`did not listen within ${bootLimitMs / 1000} s`));
        this.kill("crash");
      }, bootLimitMs);
      const marked = `\u001e${nonce} `;
      createInterface({ input: this.#child.stdout }).on("line", (line) => {
        if (!line.startsWith(marked)) {
          this.#print(line);
          return;
        }
        const message = runtimeMessage.parse(JSON.parse(line.slice(marked.length)));
        if (message.type === "listening") {
          clearTimeout(limit);
          resolve(message.port);
        } else {
          this.backgroundBusy = message.busy;
          this.onBackgroundChange();
        }
      });
      void this.ended.then(() => {
        clearTimeout(limit);
        reject(new Error("its module failed to load"));
      });
    });
    // Whoever waits for it hears of it; nobody has to wait.
    this.listening.catch(() => undefined);
  }

  /** Fires `beforeunload` inside, the function's short chance to save its state. */
  unload(reason: UnloadReason): void {
    this.#send(`unload ${reason}`);
  }

  /** Lets it exit by itself, at once; one that is too busy to hear it is killed. */
  end(): void {
    this.#ending ??= "asked";
    this.#child.stdin.end();
    setTimeout(() => this.#child.kill("SIGKILL"), deafMs).unref();
  }

  /** Ends it without its help. */
  kill(ending: Ending): void {
    this.#ending ??= ending;
    this.#child.kill("SIGKILL");
  }

  #send(line: string): void {
    if (this.#child.stdin.writable) this.#child.stdin.write(`${line}\n`);
  }

  #print(line: string): void {
    if (line !== "") this.#options.log(`${this.#options.name}: ${line.slice(0, longestLogLine)}`);
  }

  /**
   * V8's own limit counts JavaScript objects only, hosted's counts buffers too. So what the process holds beyond what
   * it needed when it began to be watched is held against the limit as well, where the system can tell (Linux).
   */
  async #checkMemory(): Promise<void> {
    if (this.#child.pid === undefined || this.#ending) return;
    const status = await readFile(`/proc/${this.#child.pid}/status`, "utf8").catch(() => "");
    const heldKb = Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN);
    if (Number.isNaN(heldKb)) return;
    this.#baselineKb ??= heldKb;
    if (heldKb - this.#baselineKb <= this.#options.memoryMb * 1024) return;
    this.#print(`memory limit of ${this.#options.memoryMb} MB exceeded`);
    this.kill("limit");
  }
}

function argumentsFor(options: DenoProcessOptions): string[] {
  return [
    "run",
    "--quiet",
    "--no-prompt",
    // Hosted lets a function reach anything. Its environment holds nothing but what it was given (see runtime.ts), and a
    // name that is not set must read as undefined there, which a narrower permission would turn into an error.
    "--allow-net",
    "--allow-env",
    `--allow-read=${[options.functionsDir, ...nodeModulesAbove(options.functionsDir)].join(",")}`,
    // The whole heap, as the platform's runtime gives it to V8 (`heap_limits(0, limit)`, supabase/edge-runtime,
    // ext/runtime): max-old-space-size would leave the young generation out of it, and let that grow to three times as much.
    `--v8-flags=--max-heap-size=${options.memoryMb}`,
    "--node-modules-dir=manual",
    "--cached-only",
    "--no-lock",
    ...(options.denoConfig === undefined ? ["--no-config"] : ["--config", options.denoConfig]),
    join(here, "runtime.ts"),
  ];
}

/** Every `node_modules` in which Deno may look for a package, from the folder upwards. */
function nodeModulesAbove(folder: string): string[] {
  const parent = dirname(folder);
  return [join(folder, "node_modules"), ...(parent === folder ? [] : nodeModulesAbove(parent))];
}
