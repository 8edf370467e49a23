/**
 * Does something each so many seconds, on one of the nodes of a store: whoever
 * counts the interval first does it, and the others leave it out.
 */

import type { Clock, Timer } from "../ports/clock.ts";
import type { CounterStore } from "../ports/counter-store.ts";
import type { Logger } from "../ports/logger.ts";

export interface IntervalTaskPorts {
  readonly store: Pick<CounterStore, "changeCounters">;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface IntervalTaskSteps {
  /** Names it in the log, and among the nodes: letters, digits and dashes. */
  readonly name: string;
  /** As it is set now; 0: it is not done. */
  intervalSeconds(): number;
  run(): Promise<void>;
}

/** More than there are tasks. */
const maxCounters = 100;

/**
 * How much of the interval is held against other nodes: not all of it, for clocks
 * tick unevenly, and who comes a little early would leave a whole round out.
 */
const heldShare = 0.9;

/** One thing that is done at intervals, by one node of several. */
export class IntervalTask {
  readonly #ports: IntervalTaskPorts;
  readonly #steps: IntervalTaskSteps;
  #timer: Timer | undefined;
  /** The round that is under way; there is one at most. */
  #running: Promise<void> | undefined;
  #isOpen = false;

  constructor(ports: IntervalTaskPorts, steps: IntervalTaskSteps) {
    this.#ports = ports;
    this.#steps = steps;
  }

  /** The first time is an interval from now. */
  start(): void {
    this.#isOpen = true;
    this.replan();
  }

  /** The interval may be another one. It counts from now, or from a round's end. */
  replan(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    // Its end plans the next one.
    if (!this.#isOpen || this.#running !== undefined) return;
    const seconds = this.#steps.intervalSeconds();
    if (seconds === 0) return;
    this.#timer = this.#ports.clock.setTimer(seconds * 1000, () => {
      this.#timer = undefined;
      this.#running = this.#round(seconds).then(() => {
        this.#running = undefined;
        this.replan();
      });
    });
  }

  /** Begins no more; resolves once what is under way has ended. Idempotent. */
  async stop(): Promise<void> {
    this.#isOpen = false;
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#running;
  }

  /** Never rejects: the next round takes up what failed. */
  async #round(seconds: number): Promise<void> {
    const { store, logger } = this.#ports;
    const { name } = this.#steps;
    try {
      const counted = await store.changeCounters(
        {
          kind: "interval",
          windowMs: Math.ceil(seconds * 1000 * heldShare),
          isSliding: false,
          maxCounters,
        },
        { added: [{ key: name, by: 1, max: 1 }] },
      );
      // Another node was first.
      if (counted === undefined) return;
      await this.#steps.run();
    } catch (error) {
      logger.error("interval_task_failed", { task: name, error });
    }
  }
}
