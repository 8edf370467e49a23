/** All of an SMS provider, in lines for a terminal. */

import type {
  AttemptCounts,
  ProviderBalance,
  ProviderDetails,
  ProviderSummary,
} from "@carillon/client";
import { formatTable, paint, type Style } from "./output.ts";
import { printable } from "./printable.ts";
import { wrapWords } from "./sentence.ts";
import type { Column, Layout } from "./table.ts";
import { ageText, durationText } from "./time-text.ts";

export const providerStyles: Readonly<Record<string, Style>> = {
  ok: "green",
  failing: "red",
  not_started: "red",
  paused: "yellow",
  removed: "yellow",
};

/** `14 EUR`, why it is not known, or nothing. */
export function balanceText(balance: ProviderBalance | undefined): string {
  if (balance === undefined) return "";
  const { amount, currency, problem } = balance;
  if (amount === undefined) return problem ?? "";
  return currency === undefined ? String(amount) : `${amount} ${currency}`;
}

/** `98 % of 120`, or nothing when there were none. */
export function shareText({ accepted, attempts }: AttemptCounts): string {
  if (attempts === 0) return "";
  return `${percent(accepted, attempts)} of ${attempts}`;
}

/** Paused by whom, since when and why. */
export function pauseText(
  { pause }: Pick<ProviderSummary, "pause">,
  now = Date.now(),
): string {
  if (pause === undefined) return "";
  const why = pause.reason ? `: ${pause.reason}` : "";
  return `by ${pause.userName}, ${ageText(pause.at, now)} ago${why}`;
}

/** Lines of what it is, then tables of its attempts and its errors. */
export function providerLines(
  provider: ProviderDetails,
  layout: Layout,
  now = Date.now(),
): string[] {
  const { name, type, state, breaker, rules, callbacks } = provider;
  const style = providerStyles[state];
  const shownState = style ? paint(style, state, layout.colours) : state;
  const facts: (readonly [string, string])[] = [
    ["paused", pauseText(provider, now)],
    ["balance", balanceText(provider.balance)],
    ["breaker", breaker ?? ""],
    ["rules", rules.join(", ")],
    ["last accepted", agoText(provider.lastAcceptedAt, now)],
    ["latency", latencyText(provider)],
    ["receipts", receiptsText(provider)],
    ["reports", reportsText(provider)],
    ...callbacks.map(
      ({ methods, url }) =>
        ["callback", `${methods.join(", ")} ${url}`] as const,
    ),
  ];
  const width = layout.width ?? Number.POSITIVE_INFINITY;
  return [
    `${printable(name)}  ${printable(type)}  ${shownState}${provider.isDefault ? "  default" : ""}`,
    ...facts
      .filter(([, text]) => text !== "")
      .flatMap(([head, text]) =>
        // An address is copied: it stays whole.
        head === "callback"
          ? [`  ${head}: ${printable(text)}`]
          : wrapWords(`${head}: ${printable(text)}`, width - 2).map(
              (line) => `  ${line}`,
            ),
      ),
    "",
    formatTable(
      [
        { of: "5 min", counts: provider.lastFiveMinutes },
        { of: "hour", counts: provider.lastHour },
        { of: "since start", counts: provider.sinceStart },
      ],
      attemptColumns,
      layout,
    ),
    ...(provider.errors.length === 0
      ? []
      : ["", formatTable(provider.errors, errorColumns(now), layout)]),
  ];
}

interface Window {
  readonly of: string;
  readonly counts: AttemptCounts;
}

const attemptColumns: readonly Column<Window>[] = [
  { head: "attempts", cell: ({ of }) => of },
  ...(["attempts", "accepted", "failed", "unknown"] as const).map(
    (name): Column<Window> => ({
      head: name === "attempts" ? "all" : name,
      cell: ({ counts }) => String(counts[name]),
      align: "right",
    }),
  ),
  {
    head: "share",
    cell: ({ counts: { accepted, attempts } }) =>
      attempts === 0 ? "" : percent(accepted, attempts),
    align: "right",
  },
];

function errorColumns(
  now: number,
): readonly Column<ProviderDetails["errors"][number]>[] {
  return [
    { head: "code", cell: (one) => one.code ?? "", max: 16 },
    { head: "class", cell: (one) => one.errorClass, max: 24 },
    { head: "#", cell: (one) => String(one.count), align: "right" },
    { head: "age", cell: (one) => ageText(one.lastAt, now), align: "right" },
    { head: "meaning", cell: (one) => one.meaning, wraps: true },
  ];
}

function agoText(at: string | undefined, now: number): string {
  return at === undefined ? "" : `${ageText(at, now)} ago`;
}

function latencyText({ latencyMs }: ProviderSummary): string {
  if (latencyMs === undefined) return "";
  const { p50, p95, max } = latencyMs;
  return `half within ${durationText(p50)}, 95 % within ${durationText(p95)}, at most ${durationText(max)}`;
}

function receiptsText({ receipts }: ProviderSummary): string {
  const { seen, expected, final } = receipts;
  if (seen === 0 && expected === 0) return "";
  const share =
    expected === 0
      ? ""
      : `, ${percent(final, expected)} of the last ${expected} texts are settled`;
  return `${seen} seen${share}`;
}

/** How it is heard what became of texts. */
function reportsText({ reports }: ProviderDetails): string {
  const { callbacks, askedAfterMs } = reports;
  const ways = [
    ...(callbacks === "known" ? ["its carrier calls"] : []),
    ...(askedAfterMs === undefined
      ? []
      : [`its carrier is asked ${durationText(askedAfterMs)} after a text`]),
  ];
  if (callbacks === "unknown") {
    ways.push(
      "its carrier is not told where to call, for publicUrl is not set",
    );
  }
  return ways.join("; ") || "its carrier neither calls nor is asked";
}

function percent(part: number, whole: number): string {
  return `${Math.floor((100 * part) / whole)} %`;
}
