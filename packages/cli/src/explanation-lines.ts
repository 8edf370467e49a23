/** Where a text would go, in lines for people. */

import type {
  ExplainedText,
  RuleVerdict,
  TextCandidate,
  TextCost,
} from "@carillon/client";
import { printable } from "./printable.ts";
import { wrapWords } from "./sentence.ts";
import {
  type Column,
  formatFields,
  formatTable,
  type Layout,
} from "./table.ts";

const fields: readonly Column<ExplainedText>[] = [
  { head: "provider", cell: (it) => it.provider ?? "none" },
  { head: "because", cell: (it) => it.reason, wraps: true },
  { head: "route", cell: routeText, wraps: true },
  {
    head: "segments",
    cell: ({ segments, encoding }) => `${segments} (${encoding})`,
  },
  { head: "cost", cell: (it) => costText(it.estimatedCost, "not known") },
];

type Row = TextCandidate & { readonly n: number };

const candidateColumns: readonly Column<Row>[] = [
  { head: "#", cell: ({ n }) => String(n), align: "right" },
  { head: "provider", cell: (one) => one.provider },
  { head: "sender", cell: (one) => one.sender ?? "" },
  {
    head: "state",
    cell: stateText,
    style: (one) => (stateText(one) === "ok" ? "green" : "yellow"),
  },
  {
    head: "cost",
    cell: (one) => costText(one.estimatedCost, ""),
    align: "right",
  },
];

const ruleColumns: readonly Column<RuleVerdict>[] = [
  { head: "rule", cell: (one) => one.rule },
  {
    head: "matched",
    cell: ({ matched }) => (matched ? "yes" : "no"),
    style: ({ matched }) => (matched ? "green" : undefined),
  },
  { head: "why", cell: (one) => one.reason, wraps: true },
];

/** The choice, the providers in their order, the rules, and what is wrong. */
export function explanationLines(
  explained: ExplainedText,
  layout: Layout,
): string[] {
  const { candidates, considered, problems } = explained;
  const rows = candidates.map((one, at) => ({ ...one, n: at + 1 }));
  return [
    formatFields(explained, fields, layout),
    ...(rows.length > 0
      ? ["", formatTable(rows, candidateColumns, layout)]
      : []),
    ...(considered.length > 0
      ? ["", formatTable(considered, ruleColumns, layout)]
      : []),
    ...(problems.length > 0
      ? [
          "",
          "It would not be sent:",
          ...problems.flatMap((it) =>
            wrapWords(printable(it), (layout.width ?? Infinity) - 2).map(
              (line) => `  ${line}`,
            ),
          ),
        ]
      : []),
  ];
}

function routeText({ use, sticky }: ExplainedText): string {
  if (use === undefined) return "";
  if (!use.includes("&&")) return use;
  return `${use} (${sticky ? "the same for this number each time" : "drawn for each text"})`;
}

/** What keeps texts from it, or does not. */
function stateText({ paused, breaker }: TextCandidate): string {
  if (paused) return "paused";
  return breaker === "closed" ? "ok" : `breaker ${breaker}`;
}

function costText(cost: TextCost | undefined, otherwise: string): string {
  if (cost === undefined) return otherwise;
  const { amount, currency } = cost;
  return currency === undefined ? String(amount) : `${amount} ${currency}`;
}
