/** A delivery with each of its attempts, in lines for people. */

import type { Attempt, Delivery } from "@carillon/client";
import { stateStyles } from "./delivery-table.ts";
import { paint } from "./output.ts";
import { printable } from "./printable.ts";
import { durationText, instantText } from "./time-text.ts";

/**
 * One line of what it is, one for each attempt and one for the next. Nothing
 * is cut: an error may hold an address that one wants to copy.
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
  for (const action of delivery.actions ?? []) {
    const { userName, reason } = action;
    const why = reason === undefined ? "" : `: ${printable(reason)}`;
    lines.push(
      `  ${instantText(action.at)}  ${action.action} by ${printable(userName)}, ${action.from} to ${action.to}${why}`,
    );
  }
  if (nextAttemptAt !== undefined) {
    const wait = durationText(Date.parse(nextAttemptAt) - now);
    lines.push(`  next attempt in ${wait}, ${instantText(nextAttemptAt)}`);
  }
  return lines;
}

/** @param mark its number, or a dash where nothing was attempted */
function attemptLine(
  mark: string,
  { at, durationMs, statusCode, provider, error }: Attempt,
): string {
  const parts = [
    mark,
    instantText(at),
    durationMs === undefined ? "" : durationText(durationMs),
    statusCode === undefined ? "" : String(statusCode),
    provider ?? "",
    error ?? "",
  ];
  const shown = parts.map(printable).filter((part) => part !== "");
  return `  ${shown.join("  ")}`;
}
