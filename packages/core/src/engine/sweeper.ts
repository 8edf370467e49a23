/**
 * Finds work that no hint spoke of, and keeps this engine's leases alive. The
 * store is the truth: with the sweeper alone everything would still be
 * delivered, only later.
 */

import type { Clock, Timer } from "../ports/clock.ts";
import type { DeliveryStore, Lease } from "../ports/delivery-store.ts";
import type { Logger } from "../ports/logger.ts";

export interface SweeperPorts {
  readonly store: Pick<
    DeliveryStore,
    "extendLeases" | "settleInterrupted" | "hasUnclaimedChunks" | "nextDueAt"
  >;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly newLease: () => Lease;
  /** Whether this engine holds chunks whose leases must be kept. */
  readonly holdsChunks: () => boolean;
  readonly onChunks: () => void;
  readonly onDue: (at: number) => void;
}

export class Sweeper {
  readonly #ports: SweeperPorts;
  readonly #intervalMs: number;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #open = false;

  constructor(ports: SweeperPorts, intervalMs: number) {
    this.#ports = ports;
    this.#intervalMs = intervalMs;
  }

  /** Sweeps at once, then in intervals. */
  async start(): Promise<void> {
    this.#open = true;
    await this.#tick();
  }

  async stop(): Promise<void> {
    this.#open = false;
    this.#timer?.cancel();
    await this.#running;
  }

  async #tick(): Promise<void> {
    this.#running = this.sweep();
    await this.#running;
    if (!this.#open) return;
    this.#timer = this.#ports.clock.setTimer(
      this.#intervalMs,
      () => void this.#tick(),
    );
  }

  /** One round; failures are logged and the next round tries again. */
  async sweep(): Promise<void> {
    const { store, clock, logger, newLease } = this.#ports;
    try {
      if (this.#ports.holdsChunks()) await store.extendLeases(newLease());
      const interrupted = await store.settleInterrupted(clock.now());
      if (interrupted > 0) logger.warn("interrupted_sends", { interrupted });
      if (await store.hasUnclaimedChunks(clock.now())) this.#ports.onChunks();
      const next = await store.nextDueAt();
      if (next !== undefined) this.#ports.onDue(next);
    } catch (error) {
      logger.error("sweep_failed", { error: String(error) });
    }
  }
}
