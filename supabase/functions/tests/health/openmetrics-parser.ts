/** A family as a scraper reads it. */
export interface ReadFamily {
  type: string;
  help: string | undefined;
  unit: string | undefined;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const NUMBER = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?Inf|NaN)$/i;
const SUFFIXES: Record<string, string[]> = {
  gauge: [""],
  counter: ["_total", "_created"],
  histogram: ["_bucket", "_count", "_sum", "_created"],
};

/**
 * Reads OpenMetrics text as strictly as the specification 1.0 wants it (ABNF, metadata before samples, families in one
 * piece, suffixes by type, cumulative buckets with +Inf, `# EOF`), and complains like `promtool check metrics` about
 * what is allowed and bad: no help, capitals, units that are not base units. Throws Error with the line.
 */
export function readOpenMetrics(text: string): Map<string, ReadFamily> {
  const lines = text.split("\n");
  if (lines.pop() !== "" || lines.pop() !== "# EOF")
    throw new Error("the text does not end in # EOF and a line feed");
  const families = new Map<string, ReadFamily>();
  const seen = new Set<string>();
  let current: { name: string; family: ReadFamily } | undefined;
  for (const line of lines) {
    const fail = (why: string): never => {
      throw new Error(`${why}: ${line}`);
    };
    if (line.startsWith("#")) {
      const [, keyword, name = "", rest = ""] =
        /^# (TYPE|UNIT|HELP) (\S+) (.*)$/.exec(line) ?? fail("no metadata");
      if (!NAME.test(name)) fail("no name of a family");
      if (current?.name !== name) {
        if (families.has(name)) fail("a family comes in two pieces");
        current = { name, family: { type: "unknown", help: undefined, unit: undefined, samples: [] } };
        families.set(name, current.family);
      }
      const { family } = current;
      if (family.samples.length > 0) fail("metadata after samples");
      if (keyword === "TYPE") {
        if (family.type !== "unknown") fail("two types");
        if (!Object.hasOwn(SUFFIXES, rest)) fail("no type of ours");
        family.type = rest;
      } else if (keyword === "UNIT") {
        if (!name.endsWith(`_${rest}`)) fail("the unit is not the end of the name");
        family.unit = rest;
      } else {
        family.help = unescaped(rest, fail);
      }
      continue;
    }
    const sample = readSample(line, fail);
    const owner = current ?? fail("a sample without a family");
    const suffix = sample.name.startsWith(owner.name)
      ? sample.name.slice(owner.name.length)
      : fail("not of this family");
    if (!SUFFIXES[owner.family.type]?.includes(suffix)) fail(`a ${owner.family.type} has no such sample`);
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
    if (seen.has(key)) fail("the same sample twice");
    seen.add(key);
    if (owner.family.type !== "gauge" && !(sample.value >= 0)) fail("a count below zero, or none");
    owner.family.samples.push(sample);
  }
  for (const [name, family] of families) {
    if (family.type === "histogram") checkHistogram(name, family);
    lint(name, family);
  }
  return families;
}

type Fail = (why: string) => never;

function readSample(line: string, fail: Fail): ReadFamily["samples"][number] {
  const [, name = "", inside, value = ""] =
    /^([^\s{]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? fail("no sample (a name, labels, one space, a number)");
  if (!NAME.test(name)) fail("no name of a metric");
  if (!NUMBER.test(value)) fail("no number");
  const labels: Record<string, string> = {};
  let rest = inside ?? "";
  if (inside === "") fail("empty braces");
  while (rest !== "") {
    const [whole = "", label = "", text = ""] =
      /^([^=,"]+)="((?:[^"\\\n]|\\.)*)"(?:,(?=.)|$)/.exec(rest) ?? fail("malformed labels");
    if (!LABEL.test(label)) fail("no name of a label");
    if (Object.hasOwn(labels, label)) fail("a label twice");
    labels[label] = unescaped(text, fail);
    rest = rest.slice(whole.length);
  }
  const number = /^[+-]?inf$/i.test(value) ? Number(value.replace(/inf/i, "Infinity")) : Number(value);
  return { name, labels, value: number };
}

function unescaped(text: string, fail: Fail): string {
  return text.replaceAll(/\\(.)|"/g, (found, letter: string | undefined) => {
    if (letter === "n") return "\n";
    if (letter === "\\" || letter === '"') return letter;
    return fail(`not escaped: ${found}`);
  });
}

function checkHistogram(name: string, { samples }: ReadFamily): void {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  let last = { bound: Number.NEGATIVE_INFINITY, count: 0 };
  for (const { labels, value } of buckets) {
    const { le = "" } = labels;
    // The canonical form of the specification: 1.0 and not 1.
    if (le !== "+Inf" && !/^\d+\.\d+$/.test(le)) throw new Error(`${name}: le="${le}" is not canonical`);
    const bound = le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);
    if (bound <= last.bound) throw new Error(`${name}: buckets out of order`);
    if (value < last.count) throw new Error(`${name}: buckets are not cumulative`);
    last = { bound, count: value };
  }
  if (last.bound !== Number.POSITIVE_INFINITY) throw new Error(`${name}: no bucket +Inf`);
  if (samples.find((sample) => sample.name === `${name}_count`)?.value !== last.count) {
    throw new Error(`${name}: the count is not that of +Inf`);
  }
  if (!samples.some((sample) => sample.name === `${name}_sum`)) throw new Error(`${name}: no sum`);
}

const NOT_BASE = /_(?:ms|milliseconds|minutes|hours|days|kilobytes|megabytes|mib|percent)(?:_|$)/;

function lint(name: string, { help, type }: ReadFamily): void {
  if (help === undefined || help.trim() === "") throw new Error(`${name}: no help`);
  if (/[A-Z:]/.test(name)) throw new Error(`${name}: capitals or colons`);
  if (NOT_BASE.test(name)) throw new Error(`${name}: not in base units`);
  if (name.split("_").includes(type)) throw new Error(`${name}: the type stands in the name`);
}
