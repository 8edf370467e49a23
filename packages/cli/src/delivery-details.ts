/** A delivery with each of its attempts, in lines for people. */

import type {
  Attempt,
  Delivery,
  DeliveryActionRecord,
  DeliveryReceipt,
} from "@carillon/client";
import { stateStyles } from "./delivery-table.ts";
import { paint } from "./output.ts";
import { printable } from "./printable.ts";
import { wrapItem } from "./sentence.ts";
import { aheadText, durationText, instantText } from "./time-text.ts";

/**
 * One line of what it is, with its id, then its history: attempts, receipts and
 * what was done to it by hand, a line each, oldest first; then one for the next
 * attempt. Nothing is cut: an error may hold an address that one wants to copy.
 * Reasons go on in the next line where `width` says how wide the terminal is.
 */
export function deliveryLines(
  delivery: Delivery,
  {
    colours,
    now = Date.now(),
    width,
  }: { colours: boolean; now?: number; width?: number | undefined },
): string[] {
  const { state, protocol, endpoint, attempts, nextAttemptAt } = delivery;
  const waits = waitTexts[delivery.waitReason ?? ""];
  const style = stateStyles[state];
  const history = [
    // Of what happened in the same millisecond, an action led to the attempt.
    ...(delivery.actions ?? []).map(
      (one) => [one.at, actionLine(one)] as const,
    ),
    ...attempts.map((one) => [one.at, attemptLine(one)] as const),
    ...delivery.receipts.map((one) => [one.at, receiptLine(one)] as const),
  ].sort(([one], [other]) => Date.parse(one) - Date.parse(other));
  const lines = [
    `${style ? paint(style, state, colours) : state}  ${protocol}  ${printable(endpoint)}  ${printable(delivery.id)}`,
    ...history.flatMap(([, line]) => wrapItem(line, width)),
  ];
  if (waits !== undefined) lines.push(`  ${waits}`);
  else if (nextAttemptAt !== undefined) {
    const what =
      state === "sent" ? "without a receipt, next attempt" : "next attempt";
    lines.push(
      `  ${what} ${aheadText(nextAttemptAt, now)}, ${instantText(nextAttemptAt)}`,
    );
  }
  return lines;
}

/** By reason. */
const waitTexts: Readonly<Record<string, string>> = {
  paused: "waits until its provider is resumed",
  sms_batch: "waits for the batch sender",
  email_batch: "waits for the batch sender",
};

/** Without a number it is the reason why nothing was attempted. */
function attemptLine({
  number,
  at,
  durationMs,
  statusCode,
  provider,
  error,
  ...attempt
}: Attempt): string {
  const parts = [
    number === undefined ? "-" : String(number),
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

function actionLine(one: DeliveryActionRecord): string {
  const { at, action, userName, from, to, reason } = one;
  const why = reason === undefined ? "" : `: ${printable(reason)}`;
  return `  ${instantText(at)}  ${action} by ${printable(userName)}, ${from} to ${to}${why}`;
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
