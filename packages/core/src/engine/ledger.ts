/**
 * Writes outcomes of attempts that were claimed one by one, and those of slow
 * attempts when they come; counts all outcomes for the metrics.
 */

import type { DeliveryOutcome } from "../messages/delivery.ts";
import type { DeliveryState } from "../messages/delivery-state.ts";
import { refusedOutcome } from "../messages/merge-outcome.ts";
import type {
  DeliveryListener,
  WrittenDelivery,
} from "../ports/delivery-listener.ts";
import type {
  DeliveryStore,
  FencedOutcome,
  RefusedOutcome,
} from "../ports/delivery-store.ts";
import type { EpochMs } from "../time.ts";
import { type PersistPorts, persist } from "./persist.ts";

export interface LedgerPorts extends PersistPorts {
  readonly store: Pick<DeliveryStore, "recordOutcomes">;
  readonly listener?: DeliveryListener | undefined;
  /** A delivery is to be tried again then. */
  readonly onDeferred: (at: EpochMs) => void;
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

  /** Outcomes written since start, by state. */
  get counts(): Readonly<Partial<Record<DeliveryState, number>>> {
    return this.#counts;
  }

  /** Slow attempts whose outcomes have not been written. */
  get late(): number {
    return this.#late;
  }

  count(outcomes: readonly DeliveryOutcome[]): void {
    for (const { state } of outcomes) {
      this.#counts[state] = (this.#counts[state] ?? 0) + 1;
    }
  }

  /** These are on disk. Whatever the listener does, the engine goes on. */
  notify(deliveries: readonly WrittenDelivery[]): void {
    if (deliveries.length === 0) return;
    try {
      this.#ports.listener?.onWritten(deliveries);
    } catch (error) {
      this.#ports.logger.error("listener_threw", { error });
    }
  }

  /** Logs outcomes in whose place the store wrote failures. */
  reportRefused(refused: readonly RefusedOutcome[]): void {
    for (const fields of refused.slice(0, 10)) {
      this.#ports.logger.error("outcome_refused", { ...fields });
    }
    if (refused.length > 10) {
      const more = refused.length - 10;
      this.#ports.logger.error("outcomes_refused", { more });
    }
  }

  /**
   * Writes outcomes; resolves once they are on disk, or were given up because
   * the engine stopped. Never rejects: what the store cannot keep is written as
   * a failure, one by one.
   */
  async record(outcomes: readonly FencedOutcome[]): Promise<void> {
    if (outcomes.length === 0) return;
    try {
      const refused = await persist(this.#ports, "outcomes", () =>
        this.#ports.store.recordOutcomes(outcomes),
      );
      if (refused === undefined) return;
      this.reportRefused(refused);
    } catch (error) {
      await this.#recordApart(outcomes, error);
      return;
    }
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
        this.notify([{ item, outcome: known }]);
      })
      .finally(() => {
        this.#late--;
        if (this.#late > 0) return;
        for (const resolve of this.#idle.splice(0)) resolve();
      });
  }

  /** Resolves when no slow attempt is under way. */
  async drain(): Promise<void> {
    if (this.#late === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** The store refused them together: each alone, the last resort a failure. */
  async #recordApart(
    outcomes: readonly FencedOutcome[],
    error: unknown,
  ): Promise<void> {
    const { clock, logger } = this.#ports;
    const [only] = outcomes;
    if (outcomes.length > 1) {
      for (const outcome of outcomes) await this.record([outcome]);
      return;
    }
    if (only === undefined) return;
    const { messageSeq, target, fence } = only;
    logger.error("outcome_refused", { messageSeq, target, error });
    const failure = {
      ...refusedOutcome(only, reasonOf(error), clock.now()),
      fence,
    };
    try {
      await persist(this.#ports, "outcomes", () =>
        this.#ports.store.recordOutcomes([failure]),
      );
      this.count([failure]);
    } catch (cause) {
      // Its claim ends with this process, and it is delivered again then.
      logger.error("outcome_lost", { messageSeq, target, error: cause });
    }
  }
}

/** What the ledger says of a write that the store refused. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
