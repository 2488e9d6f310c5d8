import { readFile } from "node:fs/promises";
import { PlainFailure } from "./sentence.ts";

/**
 * The schemas that the REST part serves: `schemas` under `[api]` in supabase/config.toml, the same line that the
 * Supabase CLI reads for a hosted project.
 *
 * @throws PlainFailure when the file or the line is not there.
 */
export async function readExposedSchemas(configFile: string): Promise<string[]> {
  const text = await readFile(configFile, "utf8").catch((error: Error) => {
    throw new PlainFailure(`${configFile} cannot be read: ${error.message}.`);
  });
  const schemas = parseExposedSchemas(text);
  if (schemas !== undefined) return schemas;
  throw new PlainFailure(
    `${configFile} names no schemas: a line schemas = ["public", …] belongs under [api].`,
  );
}

/** The pure half: undefined when the text has no such line. */
export function parseExposedSchemas(toml: string): string[] | undefined {
  const withoutComments = toml.replace(/^\s*#.*$/gm, "");
  const section = /^\[api\]\s*$([\s\S]*?)(?=^\[|(?![\s\S]))/m.exec(withoutComments)?.[1];
  const list = section === undefined ? undefined : /^\s*schemas\s*=\s*\[([^\]]*)\]/m.exec(section)?.[1];
  if (list === undefined) return undefined;
  return [...list.matchAll(/"([^"]+)"|'([^']+)'/g)].map((match) => match[1] ?? match[2] ?? "");
}
