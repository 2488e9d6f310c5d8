/** The real Supabase CLI against a database by address: without Docker, without the network, without a trace in the repository. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("..", import.meta.url));
const CLI = join(PROJECT, "node_modules/supabase/dist/supabase.js");

/** What a run of the CLI ended with. */
interface CliRun {
  exitCode: number;
  stdout: string;
  stderr: string;
}

interface SupabaseCli {
  /**
   * Runs one command, `["db", "push"]` for example, saying yes to everything it asks.
   *
   * @param environment variables beside the CLI's own, such as those that config.toml's env(…) names.
   */
  run(command: string[], environment?: Record<string, string>): Promise<CliRun>;
}

/**
 * Gives `act` a CLI that works on one database, with a copy of config.toml and of the migrations, and removes what it
 * has written. Its folder and its home are temporary, because it keeps state in both.
 *
 * @param postgresUrl the database, as `postgres`. Its port must differ from `[db].port` in config.toml: the CLI takes
 *   that one for its own stack, which wants Docker.
 */
export async function withSupabaseCli<Result>(
  postgresUrl: string,
  act: (cli: SupabaseCli) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "call-recording-cli-"));
  const remote = new URL(postgresUrl);
  remote.searchParams.set("sslmode", "disable");
  try {
    for (const name of ["config.toml", "migrations"]) {
      await cp(join(PROJECT, "supabase", name), join(folder, "supabase", name), { recursive: true });
    }
    return await act({
      run: (command, environment = {}) =>
        execute([...command, `--remote=${remote.href}`, "--workdir", folder, "--yes", "--agent", "no"], {
          PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ""}`,
          HOME: folder,
          SUPABASE_HOME: join(folder, ".supabase"),
          SUPABASE_TELEMETRY_DISABLED: "1",
          SUPABASE_NO_UPDATE_NOTIFIER: "1",
          SUPABASE_NO_KEYRING: "1",
          DO_NOT_TRACK: "1",
          ...environment,
        }),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function execute(args: string[], env: Record<string, string>): Promise<CliRun> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [CLI, ...args],
      { env, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve({ exitCode: 0, stdout, stderr });
        else if (typeof error.code === "number") resolve({ exitCode: error.code, stdout, stderr });
        // Not started, or ended by a signal.
        else reject(error);
      },
    );
  });
}
