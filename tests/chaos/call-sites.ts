import { readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parseAst } from "rolldown/parseAst";

/** A call in a handler that leaves the function's process: to the database, the engine or the bucket. */
export interface CallSite {
  /** Where it stands in words: file, function, call, and its number where the function makes it more than once. */
  name: string;
  file: string;
  /** Offsets of the awaited expression in its file, in UTF-16 units. */
  start: number;
  end: number;
}

export interface AwaitedCalls {
  sites: CallSite[];
  /** Awaited expressions that are neither such a call nor known to stay in the process: to be decided by a person. */
  unknown: string[];
}

/** Members of ControlDeps behind which another process answers. */
const backends = new Set(["database", "engine", "files"]);
/** Makes those members out of the clients: a call of a handler, and not of this file, is what somebody waits for. */
const wiring = "control-lane.ts";
/** What may be awaited beside calls of the handlers' own functions: it leaves nothing half done outside. */
const inProcess = new Set([
  "buildRtcToken",
  "deps.sleep",
  "sleep",
  "Promise.all",
  "Promise.allSettled",
  "Promise.race",
]);

interface Node {
  type: string;
  start: number;
  end: number;
  [member: string]: unknown;
}

const controlDir = resolve(import.meta.dirname, "../../supabase/functions/_shared/control");

/**
 * Every call of the control lane's handlers that another process answers, read out of their source: all modules that
 * control-lane.ts reaches within its folder.
 *
 * @throws Error when a module cannot be parsed.
 */
export function readAwaitedCalls(entry = join(controlDir, wiring)): AwaitedCalls {
  const found: AwaitedCalls = { sites: [], unknown: [] };
  const files = new Map<string, Node>();
  const open = [entry];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (files.has(file)) continue;
    const program = parseAst(readFileSync(file, "utf8"), { lang: "ts" }, file) as unknown as Node;
    files.set(file, program);
    open.push(...importsWithin(dirname(entry), file, program));
  }
  const own = new Set([...files.values()].flatMap(functionsOf));
  for (const [file, program] of [...files].sort(([a], [b]) => a.localeCompare(b))) {
    if (basename(file) !== wiring) readModule(basename(file), program, own, found);
  }
  return found;
}

/** The site that a frame of a stack lies in; line and column count from 1, as V8 gives them. */
export function siteAt(
  sites: readonly CallSite[],
  { file, line, column }: { file: string; line: number; column: number },
  sourceOf: (file: string) => string = (name) => readFileSync(join(controlDir, name), "utf8"),
): CallSite | undefined {
  const lines = sourceOf(file).split("\n");
  const offset = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0) + column - 1;
  return sites
    .filter((site) => site.file === file && site.start <= offset && offset < site.end)
    .sort((a, b) => a.end - a.start - (b.end - b.start))[0];
}

function importsWithin(folder: string, file: string, program: Node): string[] {
  return nodesOf(program).flatMap((node) => {
    const source = node.type === "ImportDeclaration" && node.importKind !== "type" ? node.source : undefined;
    const value = isNode(source) && typeof source.value === "string" ? source.value : "";
    const path = resolve(dirname(file), value);
    return value.startsWith(".") && dirname(path) === folder ? [path] : [];
  });
}

function functionsOf(program: Node): string[] {
  return nodesOf(program).flatMap((node) => {
    if (node.type === "FunctionDeclaration") return nameOf(node.id);
    const isFunction = isNode(node.init) && /Function/.test(node.init.type);
    return node.type === "VariableDeclarator" && isFunction ? nameOf(node.id) : [];
  });
}

function readModule(file: string, program: Node, own: ReadonlySet<string>, found: AwaitedCalls): void {
  const counts = new Map<string, number>();
  const visit = (node: Node, within: string, awaited: Node | undefined) => {
    let place = within;
    if (node.type === "FunctionDeclaration") place = nameOf(node.id)[0] ?? within;
    if (node.type === "AwaitExpression" && isNode(node.argument)) {
      const call = unwrapped(node.argument);
      const callee = call.type === "CallExpression" && isNode(call.callee) ? textOf(call.callee) : call.type;
      const isKnown = isOfBackend(callee) || own.has(callee) || inProcess.has(callee);
      if (!isKnown) found.unknown.push(`${file} ${place}: await ${callee}`);
    }
    const call = backendCallOf(node);
    if (call !== undefined) {
      const name = `${file} ${place} ${call}`;
      const number = (counts.get(name) ?? 0) + 1;
      counts.set(name, number);
      const { start, end } = awaited ?? node;
      found.sites.push({ name: number === 1 ? name : `${name} #${number}`, file, start, end });
    }
    for (const child of childrenOf(node)) {
      // `await files.list().next()` awaits the call inside of it.
      const isChain = child === node.callee || child === node.object;
      visit(child, place, node.type === "AwaitExpression" ? node : isChain ? awaited : undefined);
    }
  };
  visit(program, "", undefined);
}

/** `engine.stop`, `database.report task.gone`; undefined for what is no call of a backend. */
function backendCallOf(node: Node): string | undefined {
  if (node.type !== "CallExpression" || !isNode(node.callee)) return undefined;
  const path = textOf(node.callee).split(".");
  const [backend, method] = path.slice(-2);
  if (path.length < 2 || backend === undefined || !backends.has(backend)) return undefined;
  const words = (node.arguments as Node[]).flatMap(literalsOf);
  return [`${backend}.${method}`, ...words].join(" ");
}

/** The words an argument can be: a literal, or each branch of a condition. */
function literalsOf(node: Node): string[] {
  if (node.type === "Literal" && typeof node.value === "string") return [node.value];
  if (node.type !== "ConditionalExpression") return [];
  return [[node.consequent, node.alternate].filter(isNode).flatMap(literalsOf).join("|")].filter(Boolean);
}

const isOfBackend = (callee: string): boolean => callee.split(".").some((part) => backends.has(part));

function unwrapped(node: Node): Node {
  const inner = /^(TS|Parenthesized)/.test(node.type) ? node.expression : undefined;
  return isNode(inner) ? unwrapped(inner) : node;
}

function textOf(node: Node): string {
  if (node.type === "Identifier") return String(node.name);
  if (node.type === "MemberExpression" && isNode(node.object) && isNode(node.property)) {
    return `${textOf(node.object)}.${textOf(node.property)}`;
  }
  if (node.type === "CallExpression" && isNode(node.callee)) return textOf(node.callee);
  return node.type;
}

const nameOf = (id: unknown): string[] => (isNode(id) && typeof id.name === "string" ? [id.name] : []);

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

function childrenOf(node: Node): Node[] {
  return Object.values(node).flatMap((value) => (Array.isArray(value) ? value : [value]).filter(isNode));
}

function nodesOf(node: Node): Node[] {
  return [node, ...childrenOf(node).flatMap(nodesOf)];
}
