/** Metrics as text for Prometheus (text format 0.0.4). */

import type { Histogram } from "./histogram.ts";
import type { MetricDefinition } from "./metric-table.ts";

export type Labels = Readonly<Record<string, string | number>>;

/** One value, or one histogram, with its labels. */
export interface Sample {
  readonly labels?: Labels;
  readonly value: number | Histogram;
}

export const expositionContentType = "text/plain; version=0.0.4; charset=utf-8";

/** The lines of one metric. */
export function formatMetric(
  name: string,
  { type, help }: MetricDefinition,
  samples: readonly Sample[],
): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
  for (const { labels = {}, value } of samples) {
    if (typeof value === "number") {
      lines.push(`${name}${formatLabels(labels)} ${value}`);
    } else lines.push(...formatHistogram(name, labels, value));
  }
  return `${lines.join("\n")}\n`;
}

function formatHistogram(
  name: string,
  labels: Labels,
  histogram: Histogram,
): string[] {
  const { bounds, count, sum } = histogram;
  const buckets = histogram
    .cumulative()
    .map((below, at): [string, number] => [String(bounds[at]), below]);
  return [
    ...[...buckets, ["+Inf", count] as const].map(
      ([le, below]) =>
        `${name}_bucket${formatLabels({ ...labels, le })} ${below}`,
    ),
    `${name}_sum${formatLabels(labels)} ${sum}`,
    `${name}_count${formatLabels(labels)} ${count}`,
  ];
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${escapeValue(String(value))}"`,
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeValue(text: string): string {
  return text
    .replaceAll("\\", "\\\\")
    .replaceAll("\n", "\\n")
    .replaceAll('"', '\\"');
}
