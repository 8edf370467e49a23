/**
 * Ends leases, and delays, when they are over: what was leased waits again or is
 * dead, whether anybody asks for it or not. One timer, at the first end.
 *
 * Crash before the commit of an end: the lease is over all the same, for whoever
 * looks at its instant, and the next start ends it.
 */

import { WorkLoop, type WorkLoopPorts } from "../engine/work-loop.ts";
import type { MessageQueueStore } from "../ports/message-queue-store.ts";
import type { EpochMs } from "../time.ts";

export interface LeaseEndsPorts extends WorkLoopPorts {
  readonly store: Pick<MessageQueueStore, "endLeases" | "nextLeaseEnd">;
  readonly maxDeliveries: () => number;
}

/** Leases that are ended in one transaction. */
const batchSize = 500;

/**
 * Milliseconds between two looks, at least: leases that end one after the other
 * are ended together, so much late.
 */
const slackMs = 20;

export class LeaseEnds {
  readonly #ports: LeaseEndsPorts;
  readonly #loop: WorkLoop;

  constructor(ports: LeaseEndsPorts) {
    this.#ports = ports;
    this.#loop = new WorkLoop(ports, {
      name: "lease-ends",
      hasRoom: () => true,
      claim: () => this.#end(),
    });
  }

  /** Ends what is over by now, and goes on with what follows. */
  start(): void {
    this.#loop.wake();
  }

  /** A lease, or a delay, was made that is over then. */
  made(until: EpochMs): void {
    const restMs = until - this.#ports.clock.now();
    this.#loop.wakeIn(Math.max(restMs, slackMs));
  }

  /** Resolves once nothing is being ended. */
  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #end(): Promise<boolean> {
    const { store, clock, maxDeliveries } = this.#ports;
    const now = clock.now();
    const ended = await store.endLeases(now, maxDeliveries(), batchSize);
    if (ended.mayHaveMore) return true;
    const next = await store.nextLeaseEnd();
    if (next !== undefined) this.made(next);
    return false;
  }
}
