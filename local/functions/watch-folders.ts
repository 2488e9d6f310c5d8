import { watch } from "node:fs";
import { basename, dirname } from "node:path";

/** Editors write a file in several steps; a change is told once they have rested for this long. */
const restMs = 100;

/**
 * Tells which functions are touched by changes of files: the name of the folder in `functionsDir`, or `"*"` for a change of a
 * shared folder (its name begins with `_`), of a file beside the folders, or of the config file.
 *
 * @returns ends the watching
 */
export function watchFunctions(
  functionsDir: string,
  configFile: string,
  changed: (touched: Set<string>) => void,
): () => void {
  let touched = new Set<string>();
  let rest: NodeJS.Timeout | undefined;
  const note = (name: string) => {
    touched.add(name);
    clearTimeout(rest);
    rest = setTimeout(() => {
      const told = touched;
      touched = new Set();
      changed(told);
    }, restMs);
  };

  const folders = watch(functionsDir, { recursive: true }, (_event, path) => {
    const [name, file] = (path ?? "").split("/");
    if (!name || name === "tests" || name.startsWith(".") || basename(path ?? "").startsWith(".")) return;
    note(name.startsWith("_") || file === undefined ? "*" : name);
  });
  // Editors replace a file by renaming another one over it: only its folder sees that.
  const config = watch(dirname(configFile), (_event, path) => {
    if (path === basename(configFile)) note("*");
  });
  return () => {
    clearTimeout(rest);
    folders.close();
    config.close();
  };
}
