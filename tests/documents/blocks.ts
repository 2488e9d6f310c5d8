import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const projectDir = resolve(import.meta.dirname, "../..");

/** One fenced block of a document. */
export interface Block {
  /** `docs/deploy.md:12`, the line of its first fence. */
  place: string;
  /** What stands behind the fence, such as `sh runs`. */
  info: string;
  lines: string[];
}

/** The documents, by their path from the project's root. */
export const documents = ["README.md", ...globSync("docs/*.md", { cwd: projectDir }).sort()];

export const textOf = (file: string): string => readFileSync(join(projectDir, file), "utf8");

/** The fenced blocks of a text; fences may be indented, as in a list. Throws where one is not closed. */
export function blocksOf(file: string, text: string): Block[] {
  const blocks: Block[] = [];
  let open: (Block & { indent: string }) | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const fence = /^(\s*)```(.*)$/.exec(line);
    if (fence === null) {
      if (open !== undefined) open.lines.push(line.slice(open.indent.length));
      continue;
    }
    if (open !== undefined) {
      blocks.push({ place: open.place, info: open.info, lines: open.lines });
      open = undefined;
      continue;
    }
    open = {
      place: `${file}:${index + 1}`,
      info: (fence[2] ?? "").trim(),
      indent: fence[1] ?? "",
      lines: [],
    };
  }
  if (open !== undefined) throw new Error(`the block at ${open.place} is not closed`);
  return blocks;
}

/** The commands of a block: one a line, without what is only said about them. */
export function commandsOf({ lines }: Block): string[] {
  return lines
    .map((line) => line.replace(/\s+#.*$/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** Whether a line is something to type into a shell. */
export const looksLikeCommand = (line: string): boolean =>
  /^(?:[A-Z_]+=\S+\s+)*(?:npm|npx|node|bash|sh|supabase|deno|git|curl|psql)\s/.test(line.trim());

/** The statements of a block that begin one and end with a semicolon; what is printed between them is left out. */
export function statementsOf({ lines }: Block): string[] {
  const statements: string[] = [];
  let open: string[] | undefined;
  for (const line of lines) {
    if (open === undefined && /^(?:select|update|insert|delete|set|notify|alter)\s/i.test(line)) open = [];
    if (open === undefined) continue;
    open.push(line.replace(/\s+--.*$/, ""));
    if (/;\s*(?:--.*)?$/.test(line)) {
      statements.push(open.join("\n"));
      open = undefined;
    } else if (line.trim() === "") {
      open = undefined;
    }
  }
  return statements;
}
