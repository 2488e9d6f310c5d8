/** What `supabase/config.toml` says about one function; paths are relative to the folder of that file. */
export interface FunctionConfig {
  enabled: boolean;
  verifyJwt: boolean;
  entrypoint?: string;
  importMap?: string;
}

export const defaultFunctionConfig: FunctionConfig = { enabled: true, verifyJwt: true };

/**
 * Reads the tables `[functions.<name>]` of a config.toml and nothing else of it.
 *
 * A full TOML reader would be a dependency for four keys. This one takes the form that `supabase functions new`
 * writes (a table per function, one key per line) and throws, naming the line, at every other way TOML has to say the same,
 * so that a setting can never be overlooked: `verify_jwt` overlooked would be a hole or an outage.
 */
export function readFunctionConfigs(toml: string): Map<string, FunctionConfig> {
  const configs = new Map<string, FunctionConfig>();
  let table = "";
  let openString: string | undefined;
  let openBrackets = 0;

  toml.split(/\r?\n/).forEach((raw, index) => {
    const refuse = (why: string): never => {
      throw new Error(`config.toml, line ${index + 1}: ${why}`);
    };
    if (openString !== undefined) {
      if (raw.includes(openString)) openString = undefined;
      return;
    }
    const { code, unclosed, brackets } = scanLine(raw);
    if (openBrackets > 0) {
      openBrackets += brackets;
      openString = unclosed;
      return;
    }
    if (code === "") return;

    const header = /^\[\s*([^[\]]+?)\s*\]$/.exec(code);
    if (header?.[1] !== undefined) {
      table = header[1];
      const name = functionNameOf(table);
      if (name !== undefined) {
        if (configs.has(name)) refuse(`[functions.${name}] stands twice`);
        configs.set(name, { ...defaultFunctionConfig });
      } else if (/^"?functions"?(\s*\.|$)/.test(table)) {
        refuse("write one table [functions.<name>] per function");
      }
      return;
    }
    if (code.startsWith("[[")) {
      table = code;
      if (/^\[\[\s*"?functions"?/.test(code)) refuse("functions is not a list");
      return;
    }

    const config = configs.get(functionNameOf(table) ?? "");
    if (config) {
      applySetting(config, code, refuse);
      return;
    }
    if (table === "" && /^"?functions"?\s*[.=]/.test(code)) {
      refuse("write one table [functions.<name>] per function");
    }
    openString = unclosed;
    openBrackets = Math.max(0, brackets);
  });
  return configs;
}

function functionNameOf(table: string): string | undefined {
  return /^functions\s*\.\s*"?([A-Za-z0-9_-]+)"?$/.exec(table)?.[1];
}

function applySetting(config: FunctionConfig, code: string, refuse: (why: string) => never): void {
  const [, key, value] = /^([A-Za-z_]+)\s*=\s*(.+)$/.exec(code) ?? [];
  if (key === undefined || value === undefined) refuse("expected `name = value`");
  const flag = (): boolean =>
    value === "true" || (value !== "false" && refuse(`${key} must be true or false`));
  const text = (): string =>
    /^"([^"\\]*)"$/.exec(value)?.[1] ?? /^'([^']*)'$/.exec(value)?.[1] ?? refuse(`${key} must be a string`);
  if (key === "enabled") config.enabled = flag();
  else if (key === "verify_jwt") config.verifyJwt = flag();
  else if (key === "entrypoint") config.entrypoint = text();
  else if (key === "import_map") config.importMap = text();
  else refuse(`${key} is not known to the local runner`);
}

/** One line without its comment, the multi-line string it leaves open, and how many more brackets it opens than closes. */
function scanLine(raw: string): { code: string; unclosed: string | undefined; brackets: number } {
  let code = "";
  let brackets = 0;
  for (let at = 0; at < raw.length; at++) {
    const rest = raw.slice(at);
    const triple = rest.startsWith('"""') ? '"""' : rest.startsWith("'''") ? "'''" : undefined;
    if (triple) {
      const end = raw.indexOf(triple, at + 3);
      if (end < 0) return { code: (code + rest).trim(), unclosed: triple, brackets };
      code += raw.slice(at, end + 3);
      at = end + 2;
      continue;
    }
    const text = /^"(?:[^"\\]|\\.)*"|^'[^']*'/.exec(rest)?.[0];
    if (text) {
      code += text;
      at += text.length - 1;
      continue;
    }
    const char = raw.charAt(at);
    if (char === "#") break;
    if (char === "[" || char === "{") brackets++;
    if (char === "]" || char === "}") brackets--;
    code += char;
  }
  return { code: code.trim(), unclosed: undefined, brackets };
}
