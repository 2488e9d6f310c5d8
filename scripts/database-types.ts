/** The TypeScript types of what clients and functions see of the database, as the Supabase CLI writes them. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { withSupabaseCli } from "./supabase-cli.ts";

const BIOME = fileURLToPath(new URL("../node_modules/@biomejs/biome/bin/biome", import.meta.url));

/** Where they are checked in. */
export const TYPES_FILE = fileURLToPath(new URL("../supabase/database.types.ts", import.meta.url));

const HEADING =
  "// Written by `npm run types` from the migrations. Not to be edited: a test compares it with the database.\n\n";

/**
 * The types of the exposed schemas of a migrated database, formatted as the repository wants them.
 *
 * @param postgresUrl the database, as `postgres`.
 * @throws Error with the CLI's own words when it fails.
 */
export async function generateTypes(postgresUrl: string): Promise<string> {
  const { exitCode, stdout, stderr } = await withSupabaseCli(postgresUrl, (cli) =>
    cli.run(["gen", "types", "--schema", "public,recorder_api"]),
  );
  if (exitCode !== 0) throw new Error(`supabase gen types ended with ${exitCode}: ${stderr}`);
  return execFileSync(process.execPath, [BIOME, "format", `--stdin-file-path=${TYPES_FILE}`], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    input: HEADING + stdout,
    encoding: "utf8",
  });
}
