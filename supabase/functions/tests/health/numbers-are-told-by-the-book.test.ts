import assert from "node:assert/strict";
import { familiesOf, METRICS } from "../../_shared/health/families.ts";
import {
  type Family,
  openMetricsText,
  prometheusText,
  wantsPrometheusText,
} from "../../_shared/health/openmetrics.ts";
import { readOpenMetrics } from "./openmetrics-parser.ts";

const families: Family[] = [
  {
    name: "recorder_jobs",
    type: "gauge",
    help: 'Says "jobs"\nin two lines, with a \\.',
    samples: [
      { labels: { state: "dead", kind: 'a "kind"\\\n' }, value: 3 },
      { labels: {}, value: -0.5 },
    ],
  },
  {
    name: "recorder_runs",
    type: "counter",
    help: "Runs.",
    samples: [{ labels: { kind: "stop" }, value: 7 }],
  },
  {
    name: "recorder_wait_seconds",
    type: "histogram",
    unit: "seconds",
    help: "Waits.",
    histogram: {
      buckets: [
        { le: 0.5, count: 1 },
        { le: 5, count: 4 },
      ],
      count: 6,
      sum: 31.25,
    },
  },
];

Deno.test("the text is, byte for byte, what the specification shows", () => {
  assert.equal(
    openMetricsText(families.slice(1)),
    [
      "# TYPE recorder_runs counter",
      "# HELP recorder_runs Runs.",
      'recorder_runs_total{kind="stop"} 7',
      "# TYPE recorder_wait_seconds histogram",
      "# UNIT recorder_wait_seconds seconds",
      "# HELP recorder_wait_seconds Waits.",
      'recorder_wait_seconds_bucket{le="0.5"} 1',
      'recorder_wait_seconds_bucket{le="5.0"} 4',
      'recorder_wait_seconds_bucket{le="+Inf"} 6',
      "recorder_wait_seconds_count 6",
      "recorder_wait_seconds_sum 31.25",
      "# EOF",
      "",
    ].join("\n"),
  );
});

Deno.test("the older text has its metadata under the names of the samples", () => {
  assert.equal(
    prometheusText([{ ...families[0], samples: [] } as Family, ...families.slice(1)]),
    [
      '# HELP recorder_jobs Says "jobs"\\nin two lines, with a \\\\.',
      "# TYPE recorder_jobs gauge",
      "# HELP recorder_runs_total Runs.",
      "# TYPE recorder_runs_total counter",
      'recorder_runs_total{kind="stop"} 7',
      "# HELP recorder_wait_seconds Waits.",
      "# TYPE recorder_wait_seconds histogram",
      'recorder_wait_seconds_bucket{le="0.5"} 1',
      'recorder_wait_seconds_bucket{le="5.0"} 4',
      'recorder_wait_seconds_bucket{le="+Inf"} 6',
      "recorder_wait_seconds_count 6",
      "recorder_wait_seconds_sum 31.25",
      "",
    ].join("\n"),
  );
});

// What scrapers send: Prometheus itself, curl, nothing, an agent that knows the older text only.
for (const [accept, isOlder] of [
  ["application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", false],
  ["*/*", false],
  [null, false],
  ["text/plain;version=0.0.4", true],
  ["text/plain, */*;q=0.1", true],
] as const) {
  Deno.test(`who accepts ${accept ?? "whatever there is"} gets ${isOlder ? "the older text" : "OpenMetrics"}`, () =>
    assert.equal(wantsPrometheusText(accept), isOlder));
}

const isOnThePath = async (program: string) => {
  try {
    // Throws at once, and not by its promise, where there is no such program.
    return (await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).output())
      .success;
  } catch {
    return false;
  }
};
const promtool = await isOnThePath("promtool");
Deno.test({
  name: `promtool finds nothing to complain about${promtool ? "" : " (left out: there is no promtool on the PATH)"}`,
  ignore: !promtool,
  async fn() {
    const everything = familiesOf({
      samples: Object.entries(METRICS)
        .filter(([, { type }]) => type !== "histogram")
        .map(([metric]) => ({ metric, labels: { kind: 'a "kind"\\\n' }, value: 1 })),
      histograms: [
        { metric: "stop_to_recorded_seconds", buckets: [{ le: 5, count: 0 }], count: 2, sum: 31.25 },
      ],
    });
    const lint = new Deno.Command("promtool", {
      args: ["check", "metrics"],
      stdin: "piped",
      stderr: "piped",
    });
    const child = lint.spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(prometheusText(everything)));
    await writer.close();
    const { code, stderr } = await child.output();
    assert.deepEqual([code, new TextDecoder().decode(stderr)], [0, ""]);
  },
});

Deno.test("a strict reader gets back what was told, also quotes, line feeds and backslashes", () => {
  const read = readOpenMetrics(openMetricsText(families));
  assert.deepEqual(read.get("recorder_jobs"), {
    type: "gauge",
    help: 'Says "jobs"\nin two lines, with a \\.',
    unit: undefined,
    samples: [
      { name: "recorder_jobs", labels: { kind: 'a "kind"\\\n', state: "dead" }, value: 3 },
      { name: "recorder_jobs", labels: {}, value: -0.5 },
    ],
  });
  assert.deepEqual([...read.keys()], ["recorder_jobs", "recorder_runs", "recorder_wait_seconds"]);
});

Deno.test("no metrics at all are a text too", () => {
  assert.equal(readOpenMetrics(openMetricsText([])).size, 0);
});

Deno.test("everything that the database may tell has a name that passes the reader", () => {
  const read = readOpenMetrics(
    openMetricsText(
      familiesOf({
        samples: Object.entries(METRICS)
          .filter(([, { type }]) => type !== "histogram")
          .map(([metric]) => ({ metric, labels: { kind: "x" }, value: 1 })),
        histograms: [
          { metric: "stop_to_recorded_seconds", buckets: [{ le: 5, count: 0 }], count: 0, sum: 0 },
        ],
      }),
    ),
  );
  assert.equal(read.size, Object.keys(METRICS).length);
  assert.throws(
    () => familiesOf({ samples: [{ metric: "of_tomorrow", labels: {}, value: 1 }], histograms: [] }),
    /of_tomorrow/,
  );
});

Deno.test("a name that the format does not allow is a mistake of ours, and said so", () => {
  for (const name of ["Recorder", "recorder_total", "1st", "recorder bytes"]) {
    assert.throws(() => openMetricsText([{ name, type: "gauge", help: "x", samples: [] }]), /no name/);
  }
  assert.throws(
    () =>
      openMetricsText([{ name: "recorder_wait", type: "gauge", unit: "seconds", help: "x", samples: [] }]),
    /does not end in/,
  );
  assert.throws(
    () =>
      openMetricsText([
        { name: "a", type: "gauge", help: "x", samples: [{ labels: { "a-b": "x" }, value: 1 }] },
      ]),
    /no name of a label/,
  );
});

const good = openMetricsText(families);
const broken: Record<string, [string | RegExp, string]> = {
  "without its end": ["# EOF\n", ""],
  "with something behind its end": ["# EOF\n", "# EOF\n\n"],
  "with a counter that does not say total": ["recorder_runs_total", "recorder_runs"],
  "without the bucket of everything": [/.*\+Inf.*\n/, ""],
  "with buckets that do not add up": ['le="5.0"} 4', 'le="5.0"} 0'],
  "with a bound that is written otherwise": ['le="5.0"', 'le="5"'],
  "with another count than its buckets": ["_count 6", "_count 5"],
  "with a quote that is not escaped": ['kind="stop"', 'kind="st"op"'],
  "with a comma too many": ['kind="stop"', 'kind="stop",'],
  "with the same sample twice": [/(recorder_runs_total.*\n)/, "$1$1"],
  "with two spaces": ["_total{", "_total  {"],
  "with a negative count": ["} 7", "} -7"],
  "with something that is no number": ["} 7", "} seven"],
  "with a unit that the name does not have": ["seconds seconds", "seconds minutes"],
  "with a type nobody knows": ["recorder_runs counter", "recorder_runs count"],
  "with a family that nobody introduced": ["# TYPE recorder_jobs gauge\n", ""],
  "without help": ["# HELP recorder_runs Runs.\n", ""],
};
for (const [what, [search, replacement]] of Object.entries(broken)) {
  Deno.test(`the reader refuses a text ${what}`, () => {
    const text = good.replace(search, replacement);
    assert.notEqual(text, good);
    assert.throws(() => readOpenMetrics(text));
  });
}
