import { spawn } from "node:child_process";
import { join } from "node:path";
import { signal } from "../../local/stack/process-groups.ts";

export interface Execution {
  exitCode: number;
  /** Everything it printed, on both streams, in its order. */
  output: string;
  ms: number;
}

/**
 * Runs a program of node_modules/.bin in a process group of its own until it ends, `limitMs` pass, or `interrupt`
 * says so; then the whole group is killed.
 */
export function execute(
  [program, ...args]: [string, ...string[]],
  options: { projectDir: string; env: NodeJS.ProcessEnv; limitMs: number; interrupt: AbortSignal },
): Promise<Execution> {
  const since = performance.now();
  return new Promise((resolve) => {
    const child = spawn(join(options.projectDir, "node_modules", ".bin", program), args, {
      cwd: options.projectDir,
      env: options.env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const keep = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const kill = () => {
      if (child.pid !== undefined) signal(-child.pid, "SIGKILL");
    };
    const limit = setTimeout(() => {
      output += `\nended after ${options.limitMs / 1000} s, its limit\n`;
      kill();
    }, options.limitMs);
    options.interrupt.addEventListener("abort", kill, { once: true });
    const end = (exitCode: number) => {
      clearTimeout(limit);
      options.interrupt.removeEventListener("abort", kill);
      resolve({ exitCode, output, ms: performance.now() - since });
    };
    child.on("error", (error) => {
      output += `${program} cannot be run: ${error.message}\n`;
      end(1);
    });
    child.on("close", (code) => end(code ?? 1));
  });
}
