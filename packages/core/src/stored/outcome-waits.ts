/**
 * Waits for the first outcomes of messages, as the engine of this process writes
 * them, with an attempt or without, or as operators cancel them here. Of what another process attempts nothing is heard: such a wait ends by
 * its time, and the message is read as it stands.
 */

import type { MessageId } from "../ids.ts";
import type { DeliveryState } from "../messages/delivery-state.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  DeliveryListener,
  WrittenDelivery,
} from "../ports/delivery-listener.ts";

/** A message whose deliveries are waited for; begun before it is kept. */
export interface OutcomeWait extends Disposable {
  /** Resolves once each has an outcome, or after `ms`, or when all waits end. */
  within(ms: number): Promise<void>;
}

interface Entry {
  left: number;
  readonly targets: Set<number>;
  readonly done: () => void;
}

/** No attempt ended yet. */
const openStates: ReadonlySet<DeliveryState> = new Set(["waiting", "sending"]);

/** The waits of one process; a listener of its engine. */
export class OutcomeWaits implements DeliveryListener, Disposable {
  readonly #clock: Pick<Clock, "setTimer">;
  readonly #entries = new Map<MessageId, Entry>();
  #isClosed = false;

  constructor(clock: Pick<Clock, "setTimer">) {
    this.#clock = clock;
  }

  /** @param deliveries how many the message will have */
  begin(id: MessageId, deliveries: number): OutcomeWait {
    const { promise, resolve: done } = Promise.withResolvers<void>();
    this.#entries.set(id, { left: deliveries, targets: new Set(), done });
    if (this.#isClosed) done();
    return {
      within: async (ms) => {
        const timer = this.#clock.setTimer(ms, done);
        await promise;
        timer.cancel();
      },
      [Symbol.dispose]: () => {
        this.#entries.delete(id);
      },
    };
  }

  onWritten(deliveries: readonly WrittenDelivery[]): void {
    // As nearly always.
    if (this.#entries.size === 0) return;
    for (const { item, outcome } of deliveries) {
      if (openStates.has(outcome.state)) continue;
      this.#count(item.message.id, outcome.target);
    }
  }

  /**
   * An operator cancelled a delivery, which is on disk.
   *
   * @param target absent: all of the message that waited
   */
  onCancelled(id: MessageId, target?: number): void {
    if (target === undefined) this.#entries.get(id)?.done();
    else this.#count(id, target);
  }

  #count(id: MessageId, target: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.targets.has(target)) return;
    entry.targets.add(target);
    entry.left--;
    if (entry.left === 0) entry.done();
  }

  /** Ends all waits, and those that begin later at once. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const { done } of this.#entries.values()) done();
  }
}
