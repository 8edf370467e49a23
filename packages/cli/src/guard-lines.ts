/** What guards hold, in lines for people. */

import type {
  GuardReport,
  HeldNumber,
  HeldTexts,
  Spend,
} from "@carillon/client";
import { type Column, formatTable, type Layout } from "./table.ts";

const heldColumns: readonly Column<HeldTexts>[] = [
  { head: "held in 24 hours", cell: (one) => one.reason },
  { head: "texts", cell: (one) => String(one.count), align: "right" },
];

function numberColumns(head: string): readonly Column<HeldNumber>[] {
  return [
    { head, cell: (one) => one.number },
    { head: "country", cell: (one) => one.country ?? "" },
    { head: "texts", cell: (one) => String(one.count), align: "right" },
  ];
}

const ruleColumns: readonly Column<readonly [string, unknown]>[] = [
  { head: "rule", cell: ([name]) => name },
  { head: "in force", cell: ([, value]) => ruleText(value), align: "right" },
];

/** The rules, then tables of what was held, of whom, and of what is spent. */
export function guardLines(
  {
    rules,
    held,
    topNumbers,
    topPrefixes,
    spend,
    currency = "no currency",
  }: GuardReport,
  layout: Layout,
): string[] {
  const spendColumns: readonly Column<Spend>[] = [
    { head: `spend, ${currency}`, cell: (one) => `${one.scope}, ${one.date}` },
    {
      head: "spent",
      cell: (one) => one.amount.toFixed(2),
      align: "right",
    },
    {
      head: "limit",
      cell: (one) => one.limit.toFixed(2),
      align: "right",
    },
    { head: "%", cell: (one) => String(one.percent), align: "right" },
  ];
  const tops = [
    ["numbers held most", topNumbers],
    ["prefixes held most", topPrefixes],
  ] as const;
  return [
    formatTable(Object.entries(rules), ruleColumns, layout),
    "",
    held.length > 0
      ? formatTable(held, heldColumns, layout)
      : "No text was held in the last 24 hours.",
    ...tops.flatMap(([head, numbers]) =>
      numbers.length > 0
        ? ["", formatTable(numbers, numberColumns(head), layout)]
        : [],
    ),
    ...(spend.length > 0 ? ["", formatTable(spend, spendColumns, layout)] : []),
  ];
}

function ruleText(value: unknown): string {
  if (Array.isArray(value)) return value.join(", ") || "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return value === 0 ? "none" : String(value);
}
