/**
 * Says when an endpoint begins to fail and when it recovers: failing is one
 * whose last attempts, five in a row, all failed. Kept in memory of those that
 * fail, 10,000 at most: after a restart, or beyond that number, an endpoint is
 * failing again after five more, and a recovery is not told.
 */

import type { ChangeFeed, OccurrenceType } from "../ports/change-feed.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  DeliveryListener,
  WrittenDelivery,
} from "../ports/delivery-listener.ts";
import type { Logger } from "../ports/logger.ts";

export interface EndpointHealthPorts {
  readonly store: Pick<ChangeFeed, "addOccurrence">;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
}

/** Failed attempts in a row. */
export const failuresUntilFailing = 5;

export class EndpointHealth implements DeliveryListener {
  readonly #ports: EndpointHealthPorts;
  readonly #maxEntries: number;
  /** By endpoint, those whose last attempt failed: how many failed in a row. */
  readonly #failures = new Map<string, number>();

  constructor(ports: EndpointHealthPorts, maxEntries = 10_000) {
    this.#ports = ports;
    this.#maxEntries = maxEntries;
  }

  onWritten(deliveries: readonly WrittenDelivery[]): void {
    for (const delivery of deliveries) {
      const { state, attempts, lastAttempt } = delivery.outcome;
      const succeeded = state === "delivered";
      // The usual case costs no more than this.
      if (succeeded && this.#failures.size === 0) continue;
      if (attempts === 0 || lastAttempt === undefined) continue;
      const { message, recipient } = delivery.item;
      // A text fails for its provider's sake; of events nothing is told.
      if (recipient.protocol === "sms" || message.content.kind === "event") {
        continue;
      }
      const isFailure =
        state === "retrying" || state === "failed" || state === "rejected";
      if (!succeeded && !isFailure) continue;
      const key = `${message.projectId} ${recipient.protocol} ${recipient.endpoint}`;
      const before = this.#failures.get(key) ?? 0;
      // An attempt that ended with the service says nothing of its endpoint.
      if (isFailure && lastAttempt.errorClass === "interrupted") continue;
      if (succeeded) {
        if (before === 0) continue;
        this.#failures.delete(key);
        if (before >= failuresUntilFailing) {
          this.#tell("endpoint.recovered", delivery, before);
        }
        continue;
      }
      const failures = Math.min(before + 1, Number.MAX_SAFE_INTEGER);
      this.#failures.set(key, failures);
      if (failures === failuresUntilFailing) {
        this.#tell("endpoint.failing", delivery, failures);
      }
      if (this.#failures.size > this.#maxEntries) this.#forgetOldest();
    }
  }

  #forgetOldest(): void {
    for (const oldest of this.#failures.keys()) {
      this.#failures.delete(oldest);
      return;
    }
  }

  /** A crash before it is written: five more failures tell it. */
  #tell(
    type: OccurrenceType,
    { item }: WrittenDelivery,
    failures: number,
  ): void {
    const { store, clock, logger } = this.#ports;
    const { projectId } = item.message;
    const { protocol, endpoint } = item.recipient;
    const about = { protocol, endpoint, failures };
    store
      .addOccurrence(
        { kind: "occurrence", type, projectId, about },
        clock.now(),
      )
      .catch((error: unknown) => {
        logger.warn("event_not_kept", { type, projectId, error });
      });
  }
}
