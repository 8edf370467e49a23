/** A delivery with each of its attempts, in lines for people. */

import type { Attempt, Delivery, DeliveryReceipt } from "@carillon/client";
import { stateStyles } from "./delivery-table.ts";
import { paint } from "./output.ts";
import { printable } from "./printable.ts";
import { durationText, instantText } from "./time-text.ts";

/**
 * One line of what it is, one for each attempt, one for each receipt and one for
 * the next attempt. Nothing is cut: an error may hold an address that one wants to
 * copy.
 */
export function deliveryLines(
  delivery: Delivery,
  { colours, now = Date.now() }: { colours: boolean; now?: number },
): string[] {
  const { state, protocol, endpoint, attempts, attemptCount, nextAttemptAt } =
    delivery;
  const style = stateStyles[state];
  // What ended without an attempt has its reason in the place of one.
  const made = Math.min(attemptCount, attempts.length);
  const lines = [
    `${style ? paint(style, state, colours) : state}  ${protocol}  ${printable(endpoint)}`,
    ...attempts.map((attempt, n) =>
      attemptLine(n < made ? String(n + 1) : "-", attempt),
    ),
  ];
  for (const receipt of delivery.receipts) lines.push(receiptLine(receipt));
  for (const action of delivery.actions ?? []) {
    const { userName, reason } = action;
    const why = reason === undefined ? "" : `: ${printable(reason)}`;
    lines.push(
      `  ${instantText(action.at)}  ${action.action} by ${printable(userName)}, ${action.from} to ${action.to}${why}`,
    );
  }
  if (nextAttemptAt !== undefined) {
    const wait = durationText(Date.parse(nextAttemptAt) - now);
    const what =
      state === "sent" ? "without a receipt, next attempt" : "next attempt";
    lines.push(`  ${what} in ${wait}, ${instantText(nextAttemptAt)}`);
  }
  return lines;
}

/** @param mark its number, or a dash where nothing was attempted */
function attemptLine(
  mark: string,
  { at, durationMs, statusCode, provider, error, ...attempt }: Attempt,
): string {
  const parts = [
    mark,
    instantText(at),
    durationMs === undefined ? "" : durationText(durationMs),
    statusCode === undefined ? "" : String(statusCode),
    provider ?? "",
    timingsText(attempt),
    error ?? "",
  ];
  return lineOf(parts);
}

/** What a carrier reported later, in its own words. */
function receiptLine({
  at,
  event,
  provider,
  code,
  text,
}: DeliveryReceipt): string {
  return lineOf([
    "receipt",
    instantText(at),
    provider ?? "",
    event,
    code ?? "",
    text ?? "",
  ]);
}

function lineOf(parts: readonly string[]): string {
  const shown = parts.map(printable).filter((part) => part !== "");
  return `  ${shown.join("  ")}`;
}

/** The steps that took a millisecond or more. */
function timingsText(attempt: Partial<Attempt>): string {
  const steps = [
    ["queued", attempt.queuedMs],
    ["DNS", attempt.dnsMs],
    ["connect", attempt.connectMs],
    ["TLS", attempt.tlsMs],
    ["first byte", attempt.firstByteMs],
  ] as const;
  const shown = steps.flatMap(([name, ms = 0]) =>
    ms > 0 ? [`${name} ${durationText(ms)}`] : [],
  );
  return shown.length === 0 ? "" : `(${shown.join(", ")})`;
}
