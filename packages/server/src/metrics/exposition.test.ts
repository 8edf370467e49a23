import assert from "node:assert/strict";
import { test } from "node:test";
import { formatMetric } from "./exposition.ts";
import { Histogram } from "./histogram.ts";

test("writes values with their labels, escaped", () => {
  const definition = {
    type: "counter",
    labels: ["a"],
    help: "Things",
  } as const;
  assert.equal(
    formatMetric("things_total", definition, [
      { labels: { a: 'x"\\\n' }, value: 2 },
      { value: 0 },
    ]),
    '# HELP things_total Things\n# TYPE things_total counter\nthings_total{a="x\\"\\\\\\n"} 2\nthings_total 0\n',
  );
});

test("writes histograms as cumulative buckets, sum and count", () => {
  const histogram = new Histogram([0.1, 1]);
  for (const value of [0.05, 0.5, 2]) histogram.observe(value);
  const definition = { type: "histogram", labels: ["a"], help: "H" } as const;
  const lines = formatMetric("h", definition, [
    { labels: { a: "x" }, value: histogram },
  ]).split("\n");
  assert.deepEqual(lines.slice(2, -1), [
    'h_bucket{a="x",le="0.1"} 1',
    'h_bucket{a="x",le="1"} 2',
    'h_bucket{a="x",le="+Inf"} 3',
    'h_sum{a="x"} 2.55',
    'h_count{a="x"} 3',
  ]);
});
