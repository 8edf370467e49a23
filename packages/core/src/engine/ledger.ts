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
  FencedOutcome,
  RefusedOutcome,
  WorkStore,
} from "../ports/work-store.ts";
import type { EpochMs } from "../time.ts";
import { type PersistPorts, persist } from "./persist.ts";

export interface LedgerPorts extends PersistPorts {
  readonly store: Pick<WorkStore, "finish">;
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

  /** Counts outcomes that were written, as they were written. */
  count(
    outcomes: readonly DeliveryOutcome[],
    refused: readonly RefusedOutcome[] = [],
  ): void {
    for (const { state } of outcomes) this.#add(state, 1);
    for (const one of refused) {
      const given = outcomes.find((it) => isSameDelivery(it, one));
      if (given) this.#add(given.state, -1);
      this.#add("failed", 1);
    }
  }

  /** These are on disk. Whatever the listener does, the engine goes on. */
  notify(
    deliveries: readonly WrittenDelivery[],
    refused: readonly RefusedOutcome[] = [],
  ): void {
    const written =
      refused.length === 0
        ? deliveries
        : deliveries.filter(
            ({ outcome }) => !refused.some((it) => isSameDelivery(it, outcome)),
          );
    if (written.length === 0) return;
    try {
      this.#ports.listener?.onWritten(written);
    } catch (error) {
      this.#ports.logger.error("listener_threw", { error });
    }
  }

  #add(state: DeliveryState, change: number): void {
    this.#counts[state] = (this.#counts[state] ?? 0) + change;
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
   * Writes outcomes, and then notifies of those deliveries among them; resolves
   * once they are on disk, or were given up because the engine stopped. Never
   * rejects: what the store cannot keep is written as a failure, one by one.
   */
  async record(
    outcomes: readonly FencedOutcome[],
    deliveries: readonly WrittenDelivery[] = [],
  ): Promise<void> {
    if (outcomes.length === 0) return;
    let refused: readonly RefusedOutcome[] | undefined;
    try {
      refused = await this.#finish(outcomes);
    } catch (error) {
      await this.#recordApart(outcomes, deliveries, error);
      return;
    }
    if (refused === undefined) return;
    this.reportRefused(refused);
    this.count(outcomes, refused);
    this.notify(deliveries, refused);
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
        await this.record(
          [{ ...known, ...previous, fence }],
          [{ item, outcome: known }],
        );
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

  /** `undefined`: the engine stopped before they were written. */
  async #finish(
    deliveries: readonly FencedOutcome[],
  ): Promise<readonly RefusedOutcome[] | undefined> {
    const report = await persist(this.#ports, "outcomes", () =>
      this.#ports.store.finish({ deliveries }),
    );
    return report?.refused;
  }

  /** The store refused them together: each alone, the last resort a failure. */
  async #recordApart(
    outcomes: readonly FencedOutcome[],
    deliveries: readonly WrittenDelivery[],
    error: unknown,
  ): Promise<void> {
    const { clock, logger } = this.#ports;
    const [only] = outcomes;
    if (outcomes.length > 1) {
      for (const outcome of outcomes) {
        const own = deliveries.filter((it) =>
          isSameDelivery(it.outcome, outcome),
        );
        await this.record([outcome], own);
      }
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
      await this.#finish([failure]);
      this.count([failure]);
    } catch (cause) {
      // It stays claimed until this process ends, and is attempted again then.
      logger.error("outcome_lost", { messageSeq, target, error: cause });
    }
  }
}

type DeliveryKey = Pick<DeliveryOutcome, "messageSeq" | "target">;

function isSameDelivery(one: DeliveryKey, other: DeliveryKey): boolean {
  return one.messageSeq === other.messageSeq && one.target === other.target;
}

/** What the ledger says of a write that the store refused. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
