/** One SQL statement of a file. */
export interface Statement {
  /** From its first word to before its semicolon. */
  text: string;
  /** Line of the file on which it begins, from 1. */
  line: number;
}

/**
 * Splits SQL text into its statements, as the Supabase CLI and psql do: at semicolons that stand in no quotes,
 * dollar quotes, comments, parentheses (rules), or SQL-standard function bodies (`begin atomic … end`).
 * Comments before a statement are left out. psql's backslash commands are not understood.
 */
export function splitStatements(sql: string): Statement[] {
  const statements: Statement[] = [];
  let start = -1;
  let words: string[] = [];
  let parentheses = 0;
  let blocks = 0;
  let line = 1;
  let startLine = 1;

  const close = (end: number) => {
    if (start >= 0) statements.push({ text: sql.slice(start, end).trimEnd(), line: startLine });
    start = -1;
    words = [];
    parentheses = 0;
    blocks = 0;
  };

  for (const token of tokensOf(sql)) {
    const { kind, text, at } = token;
    if (kind === "other" && text === ";" && parentheses === 0 && blocks === 0) {
      close(at);
    } else if (kind !== "space") {
      if (start < 0) {
        start = at;
        startLine = line;
      }
      if (text === "(") parentheses += 1;
      if (text === ")") parentheses = Math.max(0, parentheses - 1);
      if (kind === "word") {
        const word = text.toLowerCase();
        if (words.length < 4) words.push(word);
        if (makesRoutine(words)) blocks = Math.max(0, blocks + blockChange(word, blocks, token.next));
      }
    }
    line += text.split("\n").length - 1;
  }
  close(sql.length);
  return statements;
}

/** Only there may a body stand without quotes. */
function makesRoutine([first, second, third, fourth]: string[]): boolean {
  const kind = second === "or" && third === "replace" ? fourth : second;
  return first === "create" && (kind === "function" || kind === "procedure");
}

function blockChange(word: string, blocks: number, next: () => string): number {
  if (word === "begin") return next() === "atomic" ? 1 : 0;
  if (blocks === 0) return 0;
  if (word === "case") return 1;
  return word === "end" ? -1 : 0;
}

interface Token {
  /** `space` is white space or a comment. */
  kind: "space" | "word" | "quoted" | "other";
  text: string;
  at: number;
  /** The word that follows, in lower case. */
  next: () => string;
}

// Tried in this order at each place. Strings end at the end of the text when they are never closed.
const SPACE = /\s+|--[^\n]*/y;
const DOLLAR_TAG = /\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/iy;
const ESCAPE_STRING = /e'(?:[^'\\]|''|\\[\s\S])*(?:'|$)/iy;
const STRING = /'(?:[^']|'')*(?:'|$)/y;
const IDENTIFIER = /"(?:[^"]|"")*(?:"|$)/y;
const WORD = /[a-z_\u0080-\uffff][\w$\u0080-\uffff]*/iy;
const NUMBER_OR_PARAMETER = /\$?\d+/y;

function* tokensOf(sql: string): Generator<Token> {
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(sql)?.[0];
  };
  while (at < sql.length) {
    let kind: Token["kind"] = "quoted";
    let text = match(SPACE) ?? blockComment(sql, at);
    if (text !== undefined) kind = "space";
    text ??=
      dollarQuoted(sql, at, match(DOLLAR_TAG)) ?? match(ESCAPE_STRING) ?? match(STRING) ?? match(IDENTIFIER);
    if (text === undefined) {
      kind = "word";
      text = match(WORD);
    }
    if (text === undefined) {
      kind = "other";
      text = match(NUMBER_OR_PARAMETER) ?? sql.charAt(at);
    }
    const end = at + text.length;
    yield {
      kind,
      text,
      at,
      next: () => (/^\s*(\w+)/.exec(sql.slice(end, end + 100))?.[1] ?? "").toLowerCase(),
    };
    at = end;
  }
}

function dollarQuoted(sql: string, at: number, tag: string | undefined): string | undefined {
  if (tag === undefined) return undefined;
  const end = sql.indexOf(tag, at + tag.length);
  return sql.slice(at, end === -1 ? sql.length : end + tag.length);
}

/** Postgres' block comments nest. */
function blockComment(sql: string, at: number): string | undefined {
  if (!sql.startsWith("/*", at)) return undefined;
  const mark = /\/\*|\*\//g;
  mark.lastIndex = at;
  let depth = 0;
  for (let found = mark.exec(sql); found; found = mark.exec(sql)) {
    depth += found[0] === "/*" ? 1 : -1;
    if (depth === 0) return sql.slice(at, mark.lastIndex);
  }
  return sql.slice(at);
}
