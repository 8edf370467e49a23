/** What is said once a message is accepted. */

import type { Published } from "@carillon/client";
import { heldText } from "./held-message.ts";

/**
 * A sentence for people, and a record for programs, with `replayed` where the
 * same request was accepted before.
 *
 * @param notBefore as it was asked for
 */
export function acceptedResult(
  { id, isReplayed }: Published,
  notBefore?: Date,
): { readonly message: string; readonly record: object } {
  const look = `see carillon deliveries ${id}.`;
  if (isReplayed) {
    return {
      message: `Message ${id} was accepted before, with the same idempotency key, and nothing more is published; ${look}`,
      record: { message_id: id, replayed: true },
    };
  }
  const held = heldText({
    notBefore: notBefore?.toISOString(),
    fannedOut: false,
  });
  return {
    message: [`Message ${id} is accepted; ${look}`, held]
      .filter((part) => part !== undefined)
      .join(" "),
    record: { message_id: id },
  };
}
