/** Messages that were fetched, a line each. */

import type { PulledMessage } from "@carillon/client";
import { hasColours, paint } from "./output.ts";
import { printable } from "./printable.ts";

/** What is printed as JSON: the message without what can be done with it. */
export function messageRecord(message: PulledMessage) {
  const { ack: _, nack: __, extend: ___, ...record } = message;
  return record;
}

/** As wide as the terminal: a long text is cut. */
export function messageLine(
  message: PulledMessage,
  { showsLease }: { readonly showsLease: boolean },
  stream: Pick<NodeJS.WriteStream, "isTTY" | "columns"> = process.stdout,
): string {
  const { createdAt, deliveryCount, categories, subject, body } = message;
  const head = [
    ...(showsLease ? [message.leaseId] : []),
    createdAt.slice(11, 19),
    printable(categories.join(", ")),
    ...(deliveryCount > 1 ? [`(delivery ${deliveryCount})`] : []),
    "",
  ].join("  ");
  const text = printable(subject ? `${subject}: ${body}` : body);
  const room = Math.max(10, (stream.columns ?? 80) - [...head].length);
  const cut = [...text].slice(0, room).join("");
  return paint("bold", head, hasColours(stream)) + cut;
}
