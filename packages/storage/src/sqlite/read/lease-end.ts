import { CarillonError, type Clock, type Lease } from "@carillon/core";

/**
 * When a lease that is granted now ends, on the store's monotonic time in whole
 * milliseconds; rounded so that none ends early.
 *
 * @throws CarillonError STORAGE_REFUSED
 */
export function endOfLease(
  { leaseMs }: Lease,
  clock: Pick<Clock, "monotonic">,
): number {
  const end = Math.ceil(clock.monotonic() + leaseMs);
  if (Number.isSafeInteger(end)) return end;
  throw new CarillonError(
    "STORAGE_REFUSED",
    `A lease of ${leaseMs} ms is none: a number of milliseconds is expected. Nothing was changed.`,
  );
}
