/**
 * Writes outcomes of attempts that were claimed one by one, and those of
 * slow attempts when they come; counts all outcomes for the metrics.
 */

import type { DeliveryOutcome } from "../messages/delivery.ts";
import type { DeliveryState } from "../messages/delivery-state.ts";
import type {
  DeliveryListener,
  WrittenDelivery,
} from "../ports/delivery-listener.ts";
import type { DeliveryStore, FencedOutcome } from "../ports/delivery-store.ts";
import { type PersistPorts, persist } from "./persist.ts";

export interface LedgerPorts extends PersistPorts {
  readonly store: Pick<DeliveryStore, "recordOutcomes">;
  readonly listener?: DeliveryListener | undefined;
  /** A delivery is to be tried again then (epoch ms). */
  readonly onDeferred: (at: number) => void;
}

export interface LateDelivery {
  readonly item: WrittenDelivery["item"];
  readonly outcome: Promise<DeliveryOutcome>;
}

export class OutcomeLedger {
  readonly #ports: LedgerPorts;
  readonly #counts: Partial<Record<DeliveryState, number>> = {};
  #late = 0;
  #idle: (() => void)[] = [];

  constructor(ports: LedgerPorts) {
    this.#ports = ports;
  }

  get counts(): Readonly<Partial<Record<DeliveryState, number>>> {
    return this.#counts;
  }

  count(outcomes: readonly DeliveryOutcome[]): void {
    for (const { state } of outcomes) {
      this.#counts[state] = (this.#counts[state] ?? 0) + 1;
    }
  }

  /** Tells that these are on disk. */
  tell(deliveries: readonly WrittenDelivery[]): void {
    if (deliveries.length > 0) this.#ports.listener?.onWritten(deliveries);
  }

  async record(outcomes: readonly FencedOutcome[]): Promise<void> {
    if (outcomes.length === 0) return;
    await persist(this.#ports, "outcomes", () =>
      this.#ports.store.recordOutcomes(outcomes),
    );
    this.count(outcomes);
    for (const { nextAttemptAt } of outcomes) {
      if (nextAttemptAt !== undefined) this.#ports.onDeferred(nextAttemptAt);
    }
  }

  /** Records a slow attempt's outcome when it comes. */
  recordLate(
    { item, outcome }: LateDelivery,
    fence: number,
    previous?: Pick<FencedOutcome, "previousAttempt">,
  ): void {
    this.#late++;
    void outcome
      .then(async (known) => {
        await this.record([{ ...known, ...previous, fence }]);
        this.tell([{ item, outcome: known }]);
      })
      .finally(() => {
        this.#late--;
        if (this.#late === 0) for (const tell of this.#idle.splice(0)) tell();
      });
  }

  /** Resolves when no slow attempt is out. */
  async drain(): Promise<void> {
    if (this.#late === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}
