/** `carillon guards` */

import type {
  GuardReport,
  HeldNumber,
  HeldTexts,
  Spend,
} from "@carillon/client";
import type { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import {
  type Column,
  createOutput,
  formatTable,
  layoutFor,
} from "../output.ts";
import { withServer } from "../server.ts";

const heldColumns: readonly Column<HeldTexts>[] = [
  { head: "held in 24 hours", cell: (one) => one.reason },
  { head: "texts", cell: (one) => String(one.count), align: "right" },
];

const numberColumns: readonly Column<HeldNumber>[] = [
  { head: "held most", cell: (one) => one.number },
  { head: "texts", cell: (one) => String(one.count), align: "right" },
];

const ruleColumns: readonly Column<readonly [string, unknown]>[] = [
  { head: "rule", cell: ([name]) => name },
  { head: "in force", cell: ([, value]) => ruleText(value), align: "right" },
];

interface GuardOptions extends ClientOptions {
  readonly spendOf?: string;
}

export function guardsCommand(): Command {
  return clientCommand(
    "guards",
    "Show what holds texts before a carrier gets them: the limits in force, what they held, and what is spent. For operators.",
    [
      "carillon guards",
      "carillon guards --spend-of 0123456789abcdef0123456789abcdef",
    ],
  )
    .option(
      "--spend-of <project>",
      "show the spend of this project (its id), too",
    )
    .action(async ({ spendOf, ...options }: GuardOptions) => {
      const report = await withServer(options, ({ carillon }) =>
        carillon.guards.get({ project: spendOf }),
      );
      createOutput(options).lines(toLines(report), report);
    });
}

function toLines({
  rules,
  held,
  topNumbers,
  topPrefixes,
  spend,
  currency = "",
}: GuardReport): string[] {
  const layout = layoutFor(process.stdout);
  const spendColumns: readonly Column<Spend>[] = [
    { head: "spend", cell: (one) => `${one.scope}, ${one.date}` },
    {
      head: currency || "amount",
      cell: (one) => one.amount.toFixed(2),
      align: "right",
    },
    { head: "limit", cell: (one) => String(one.limit), align: "right" },
    { head: "%", cell: (one) => String(one.percent), align: "right" },
  ];
  const numbers = [...topNumbers, ...topPrefixes];
  return [
    formatTable(Object.entries(rules), ruleColumns, layout),
    "",
    held.length > 0
      ? formatTable(held, heldColumns, layout)
      : "No text was held in the last 24 hours.",
    ...(numbers.length > 0
      ? ["", formatTable(numbers, numberColumns, layout)]
      : []),
    ...(spend.length > 0 ? ["", formatTable(spend, spendColumns, layout)] : []),
  ];
}

function ruleText(value: unknown): string {
  if (Array.isArray(value)) return value.join(", ") || "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return value === 0 ? "none" : String(value);
}
