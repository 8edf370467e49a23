/**
 * Ids of leases as consumers have them. They hold no secret: a lease counts only in
 * the mailbox that it is of, so that an id of another mailbox is merely stale.
 */

import { CarillonError } from "../errors.ts";
import type { LeaseKey } from "../ports/message-queue-store.ts";

/** Three numbers in base 36, with a dot between. */
export function toLeaseId({ messageSeq, target, fence }: LeaseKey): string {
  return [messageSeq, target, fence].map((n) => n.toString(36)).join(".");
}

/**
 * Reads an id as {@link toLeaseId} makes it.
 *
 * @throws CarillonError LEASE_ID_INVALID
 */
export function parseLeaseId(text: string): LeaseKey {
  const match =
    /^([1-9a-z][0-9a-z]{0,10})\.([1-9a-z][0-9a-z]{0,10})\.([1-9a-z][0-9a-z]{0,10})$/.exec(
      text,
    );
  const [messageSeq = 0, target = 0, fence = 0] =
    match?.slice(1).map((digits) => Number.parseInt(digits, 36)) ?? [];
  if (match && [messageSeq, target, fence].every(Number.isSafeInteger)) {
    return { messageSeq, target, fence };
  }
  throw new CarillonError(
    "LEASE_ID_INVALID",
    "Invalid lease id: a leaseId as a message came with it is expected.",
  );
}
