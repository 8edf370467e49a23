/** When leases end, on the store's own monotonic time. */

import { CarillonError, type Clock, type Lease } from "@carillon/core";

/**
 * Answers when a lease that is granted now ends; rounded so that none ends
 * early.
 */
export function createEndOfLease(
  clock: Pick<Clock, "monotonic">,
): (lease: Lease) => number {
  return ({ leaseMs }) => {
    const end = Math.ceil(clock.monotonic() + leaseMs);
    if (Number.isSafeInteger(end)) return end;
    throw new CarillonError(
      "STORAGE_REFUSED",
      `A lease of ${leaseMs} ms is none: a number of milliseconds is expected. Nothing was changed.`,
    );
  };
}
