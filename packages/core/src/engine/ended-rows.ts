/**
 * Removes what has ended from the store: idempotency keys, counters, detections, and
 * what was on dead-letter lists for long.
 * New rows take old ones with them; this is for those that are left when no more
 * come. A crash in between leaves rows on disk that nobody finds any more, for
 * the next round.
 */

import { isTransient } from "../errors.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { CounterStore } from "../ports/counter-store.ts";
import type { DetectionStore } from "../ports/detection-store.ts";
import type { IdempotencyStore } from "../ports/idempotency-store.ts";
import type { Logger } from "../ports/logger.ts";
import type { MessageQueueStore } from "../ports/message-queue-store.ts";
import { addMs } from "../time.ts";

/** Between two rounds, in milliseconds. */
const intervalMs = 3_600_000;

const dayMs = 86_400_000;

/** Removed in one transaction; some milliseconds of the writer's time. */
const maxRemoved = 500;

export interface EndedRowsPorts {
  readonly store: Pick<IdempotencyStore, "removeEndedKeys"> &
    Pick<CounterStore, "removeEndedCounters"> &
    Pick<DetectionStore, "removeEndedDetections"> &
    Pick<MessageQueueStore, "forgetDeadMessages">;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly deadLetterDays: () => number;
}

export class EndedRows {
  readonly #ports: EndedRowsPorts;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #isOpen = false;

  constructor(ports: EndedRowsPorts) {
    this.#ports = ports;
  }

  /** The first round is an hour from now. */
  start(): void {
    this.#isOpen = true;
    this.#plan();
  }

  async stop(): Promise<void> {
    this.#isOpen = false;
    this.#timer?.cancel();
    await this.#running;
  }

  #plan(): void {
    if (!this.#isOpen) return;
    this.#timer = this.#ports.clock.setTimer(intervalMs, () => {
      this.#running = this.#round().then(() => this.#plan());
    });
  }

  async #round(): Promise<void> {
    const { store, clock, deadLetterDays } = this.#ports;
    await this.#removeAll("idempotency keys", () =>
      store.removeEndedKeys(clock.now(), maxRemoved),
    );
    await this.#removeAll("counters", () =>
      store.removeEndedCounters(maxRemoved),
    );
    await this.#removeAll("detections", () =>
      store.removeEndedDetections(maxRemoved),
    );
    const diedBy = addMs(clock.now(), -deadLetterDays() * dayMs);
    await this.#removeAll("dead letters", () =>
      store.forgetDeadMessages(diedBy, maxRemoved),
    );
  }

  /** @param remove answers how many it removed */
  async #removeAll(step: string, remove: () => Promise<number>): Promise<void> {
    const { clock, logger } = this.#ports;
    try {
      let removed = maxRemoved;
      while (this.#isOpen && removed === maxRemoved) {
        removed = await remove();
        await clock.nextTurn();
      }
    } catch (error) {
      // The next round takes it up.
      const level = isTransient(error) ? "warn" : "error";
      logger[level]("sweep_failed", { step, error });
    }
  }
}
