/** Why deliveries are on the dead-letter list of a mailbox. */

import type { MailboxRoom } from "./mailbox.ts";

/**
 * Why a mailbox takes no further message; `undefined`: it takes one.
 *
 * @param mailbox `undefined`: it was deleted
 */
export function reasonNotQueued(
  mailbox: MailboxRoom | undefined,
): string | undefined {
  if (mailbox === undefined) return "The mailbox was deleted.";
  if (mailbox.disabled) return "The mailbox is disabled.";
  const { depth, quota } = mailbox;
  return depth < quota
    ? undefined
    : `The mailbox is full: ${depth === 1 ? "1 message is" : `${depth} messages are`} in it unconfirmed, and its quota is ${quota}.`;
}

/** Why one is dead that was handed out so often and never confirmed. */
export function reasonUnconfirmed(deliveries: number): string {
  const times = deliveries === 1 ? "once" : `${deliveries} times`;
  return `It was handed out ${times}, as often as may be, and not confirmed.`;
}
