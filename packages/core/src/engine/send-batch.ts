/** What one call of the sender is about, and how it grows into its report. */

import type { DeliveryOutcome } from "../messages/delivery.ts";
import type { EpochMs } from "../time.ts";
import type { SendItem } from "./outcome.ts";

/** What came of a call of `send`: each item is in one of the lists. */
export interface SendReport<Item extends SendItem> {
  readonly finished: readonly Finished<Item>[];
  readonly slowAttempts: readonly SlowAttempt<Item>[];
  /** Never started, and to be sent again later. */
  readonly unstarted: readonly Unstarted<Item>[];
}

export interface Finished<Item extends SendItem> {
  readonly item: Item;
  readonly outcome: DeliveryOutcome;
}

export interface SlowAttempt<Item extends SendItem> {
  readonly item: Item;
  readonly startedAt: EpochMs;
  /** Resolves when the channel answers, or its time is up; never rejects. */
  readonly outcome: Promise<DeliveryOutcome>;
}

export interface Unstarted<Item extends SendItem> {
  readonly item: Item;
  /** How many times longer than usual it should stay away; at least 1. */
  readonly factor: number;
}

/** One call of `send`; grows into its report. */
export class SendBatch implements SendReport<SendItem> {
  readonly finished: Finished<SendItem>[] = [];
  readonly slowAttempts: SlowAttempt<SendItem>[] = [];
  readonly unstarted: Unstarted<SendItem>[] = [];
  /** Resolves once every item is in one of the lists. */
  readonly settled: Promise<void>;
  readonly createdAt: number;
  readonly #onSettled: () => void;
  #open: number;
  #resolve: () => void = () => {};

  /** @param createdAt when its items began to wait, in monotonic time */
  constructor(size: number, createdAt: number, onSettled: () => void) {
    this.createdAt = createdAt;
    this.#open = size;
    this.#onSettled = onSettled;
    this.settled = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (size === 0) this.#resolve();
  }

  finish(item: SendItem, outcome: DeliveryOutcome): void {
    this.finished.push({ item, outcome });
    this.#settleOne();
  }

  detach(attempt: SlowAttempt<SendItem>): void {
    this.slowAttempts.push(attempt);
    this.#settleOne();
  }

  leave(item: SendItem, factor: number): void {
    this.unstarted.push({ item, factor });
    this.#settleOne();
  }

  #settleOne(): void {
    this.#open--;
    this.#onSettled();
    if (this.#open === 0) this.#resolve();
  }
}
