/** One number with its labels. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** A histogram without labels; `count` of a bucket counts everything up to `le`. */
export interface Histogram {
  buckets: { le: number; count: number }[];
  count: number;
  sum: number;
}

/** Metrics of one name. `name` is without the suffixes that the format adds. */
export type Family = { name: string; help: string; unit?: string } & (
  | { type: "gauge" | "counter"; samples: Sample[] }
  | { type: "histogram"; histogram: Histogram }
);

/** What a scraper is told it gets. */
export const OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Whether a scraper knows the older format only: what it accepts is text, and no OpenMetrics. */
export function wantsPrometheusText(accept: string | null): boolean {
  return accept !== null && /\btext\/plain\b/.test(accept) && !/openmetrics-text/.test(accept);
}

/**
 * Metrics as text, by the OpenMetrics specification 1.0: metadata before the samples of a family, counters end in
 * `_total`, histograms have cumulative buckets up to `+Inf`, the last line is `# EOF`. Throws Error for a name that the
 * format does not allow, or a unit that is not the name's end: that is a mistake of ours.
 */
export function openMetricsText(families: readonly Family[]): string {
  return `${families.map(textOf).join("")}# EOF\n`;
}

/**
 * The same in Prometheus' own text format 0.0.4, for scrapers and linters that read no OpenMetrics: metadata stand under the
 * name of the samples, and there is neither a unit nor an end. Throws as openMetricsText does.
 */
export function prometheusText(families: readonly Family[]): string {
  return families
    .map((family) => {
      checkName(family);
      const name = family.type === "counter" ? `${family.name}_total` : family.name;
      // This format escapes no quote in a help text.
      const help = family.help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
      const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${family.type}`, ...linesOf(family)];
      return lines.map((line) => `${line}\n`).join("");
    })
    .join("");
}

function checkName({ name, unit }: Family): void {
  if (!/^[a-z_][a-z0-9_]*$/.test(name) || /_(?:total|bucket|count|sum|info)$/.test(name)) {
    throw new Error(`${name} is no name of a metric`);
  }
  if (unit !== undefined && !name.endsWith(`_${unit}`)) throw new Error(`${name} does not end in ${unit}`);
}

function textOf(family: Family): string {
  const { name, help, unit, type } = family;
  checkName(family);
  const metadata = [
    `# TYPE ${name} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${escaped(help)}`,
  ];
  return [...metadata, ...linesOf(family)].map((line) => `${line}\n`).join("");
}

function linesOf(family: Family): string[] {
  const { name } = family;
  if (family.type !== "histogram") {
    const suffix = family.type === "counter" ? "_total" : "";
    return family.samples.map(({ labels, value }) => sampleLine(`${name}${suffix}`, labels, value));
  }
  const { buckets, count, sum } = family.histogram;
  return [
    ...buckets.map((bucket) => sampleLine(`${name}_bucket`, { le: floatText(bucket.le) }, bucket.count)),
    sampleLine(`${name}_bucket`, { le: "+Inf" }, count),
    sampleLine(`${name}_count`, {}, count),
    sampleLine(`${name}_sum`, {}, sum),
  ];
}

function sampleLine(name: string, labels: Record<string, string>, value: number): string {
  const pairs = Object.entries(labels)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([label, text]) => {
      if (!/^[a-z_][a-z0-9_]*$/.test(label)) throw new Error(`${label} is no name of a label`);
      return `${label}="${escaped(text)}"`;
    });
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
}

/** Bounds of buckets are written as floats in the canonical form of the specification: 5.0, not 5. */
function floatText(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
