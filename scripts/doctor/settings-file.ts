import { appendFile, chmod, readFile } from "node:fs/promises";
import { parseEnv } from "node:util";

/** The variables of a file of settings; none where there is no such file. */
export async function readSettingsFile(file: string): Promise<Record<string, string>> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return Object.fromEntries(
    Object.entries(parseEnv(text)).flatMap(([name, value]) => (value?.trim() ? [[name, value.trim()]] : [])),
  );
}

/** Adds a variable at the file's end, where the last one of a name wins. The file is readable for its owner only from then on. */
export async function appendSetting(file: string, name: string, value: string): Promise<void> {
  const before = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const lineBreak = before === "" || before.endsWith("\n") ? "" : "\n";
  await appendFile(file, `${lineBreak}${name}=${value}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
}
