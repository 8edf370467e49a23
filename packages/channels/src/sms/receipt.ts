/** From what a carrier reported to a receipt, as the ledger keeps it. */

import {
  type Logger,
  type PolledReceipt,
  type Receipt,
  toStorable,
} from "@carillon/core";
import type { MessageStatus } from "@carillon/gateway";
import { excerpt } from "../excerpt.ts";

/**
 * What a status says of the part with its id; `undefined` when it says nothing.
 * Where it came through, and when, the caller knows.
 */
export function receiptOfStatus(
  status: MessageStatus,
): PolledReceipt | undefined {
  const event = receiptEvents[status.kind];
  const { msgid, status: text } = status;
  if (event === undefined || !msgid) return undefined;
  const code = toCode(status.statusCode);
  return {
    externalId: toStorable(msgid),
    event,
    ...(code && { code }),
    ...(text && { text: excerpt(text) }),
  };
}

/**
 * Says in the log what a carrier said of a text in words that tell nothing: it
 * changes nothing, and who runs the service may know what it means.
 */
export function logUnknownStatus(
  logger: Pick<Logger, "info">,
  { entry, msgid, status, statusCode }: MessageStatus,
): void {
  const code = toCode(statusCode);
  logger.info("sms_status_unknown", {
    provider: entry,
    externalId: msgid,
    ...(code && { code }),
    ...(status && { text: excerpt(status) }),
  });
}

const receiptEvents: Partial<Record<MessageStatus["kind"], Receipt["event"]>> =
  {
    accepted: "accept",
    delivered: "deliver",
    expired: "expire",
    error: "reject",
  };

/** Of any type at a carrier, and of any length; only what can be shown is kept. */
function toCode(statusCode: unknown): string | undefined {
  switch (typeof statusCode) {
    case "string":
    case "number":
    case "bigint":
    case "boolean":
      return excerpt(String(statusCode), 64);
    default:
      return undefined;
  }
}
