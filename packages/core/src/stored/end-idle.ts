/** Applies what becomes of idle deliveries to all that there are, in turns. */

import type { Clock } from "../ports/clock.ts";
import type {
  DeliveryCheckStore,
  IdleRule,
} from "../ports/delivery-check-store.ts";

/** Deliveries of one transaction. */
export const idleBatchSize = 500;

/** Transactions of one look; what is left is found by the next one. */
export const maxIdleBatches = 200;

export interface EndIdlePorts {
  readonly store: Pick<DeliveryCheckStore, "endIdle">;
  readonly clock: Pick<Clock, "nextTurn">;
}

/**
 * Answers how many were idle.
 *
 * @throws CarillonError STORAGE_UNAVAILABLE, STORAGE_FULL; what was done by then
 * stays so
 */
export async function endAllIdle(
  { store, clock }: EndIdlePorts,
  rule: IdleRule,
): Promise<number> {
  let idle = 0;
  for (let batch = 0; batch < maxIdleBatches; batch++) {
    const ended = await store.endIdle(rule, idleBatchSize);
    idle += ended.idle;
    if (!ended.mayHaveMore) break;
    await clock.nextTurn();
  }
  return idle;
}
