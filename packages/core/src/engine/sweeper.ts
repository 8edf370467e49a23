/**
 * Finds work that no hint spoke of, keeps this engine's leases alive, and frees
 * what dead engines held. The store is the truth: with the sweeper alone
 * everything would still be delivered, only later.
 */

import type { Clock, Timer } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { MessageQueueStore } from "../ports/message-queue-store.ts";
import type { NextDue, WorkStore } from "../ports/work-store.ts";
import type { EngineLeases } from "./engine-leases.ts";

export interface SweeperPorts {
  readonly store: Pick<WorkStore, "renew" | "reclaim" | "nextDue"> &
    Pick<MessageQueueStore, "expireMessages" | "cancelWithdrawn">;
  readonly leases: EngineLeases;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether this engine holds what must not lapse. */
  readonly holdsWork: () => boolean;
  readonly onNextDue: (next: NextDue) => void;
  /** Work of an engine that is gone is free again. */
  readonly onFreed: () => void;
}

/**
 * Deliveries that nobody fetched, or is to fetch, ended in one transaction: 20 ms of
 * the writer.
 */
const endBatchSize = 500;

/** Of those, in one round. */
const maxEndBatches = 100;

export class Sweeper {
  readonly #ports: SweeperPorts;
  readonly #intervalMs: number;
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #isOpen = false;

  /** Sweeps each `intervalMs`, and at least three times within a lease. */
  constructor(ports: SweeperPorts, intervalMs: number) {
    this.#ports = ports;
    this.#intervalMs = Math.min(intervalMs, ports.leases.lease.leaseMs / 3);
  }

  /** Sweeps at once, then in intervals. */
  async start(): Promise<void> {
    this.#isOpen = true;
    await this.#tick();
  }

  async stop(): Promise<void> {
    this.#isOpen = false;
    this.#timer?.cancel();
    await this.#running;
  }

  async #tick(): Promise<void> {
    this.#running = this.sweep();
    await this.#running;
    if (!this.#isOpen) return;
    this.#timer = this.#ports.clock.setTimer(
      this.#intervalMs,
      () => void this.#tick(),
    );
  }

  /** One round; a step that fails is logged, and the next round takes it up. */
  async sweep(): Promise<void> {
    // In this order: after a long standstill our own leases may have ended, and
    // are ours again if nobody else was there to take them.
    const isRenewed = await this.#step("renew", () => this.#renew());
    // Else it would free what this engine still works on.
    if (isRenewed) await this.#step("reclaim", () => this.#reclaim());
    await this.#step("expire", () => this.#expire());
    await this.#step("withdraw", () => this.#cancelWithdrawn());
    await this.#step("look", () => this.#look());
  }

  /** Answers whether it succeeded. */
  async #step(step: string, run: () => Promise<void>): Promise<boolean> {
    try {
      await run();
      return true;
    } catch (error) {
      this.#ports.logger.error("sweep_failed", { step, error });
      return false;
    }
  }

  async #renew(): Promise<void> {
    const { store, leases, clock } = this.#ports;
    const askedAt = clock.monotonic();
    if (this.#ports.holdsWork()) await store.renew(leases.lease);
    leases.renewed(askedAt);
  }

  async #reclaim(): Promise<void> {
    const { store, logger } = this.#ports;
    const { freed, interrupted } = await store.reclaim();
    if (freed + interrupted > 0) {
      logger.warn("leases_lapsed", { freed, interrupted });
    }
    if (freed > 0) this.#ports.onFreed();
  }

  /** A flood of them is ended over several rounds: nothing else waits long. */
  async #expire(): Promise<void> {
    const { store, clock } = this.#ports;
    for (let batch = 0; batch < maxEndBatches; batch++) {
      const count = await store.expireMessages(clock.now(), endBatchSize);
      if (count < endBatchSize) return;
    }
  }

  async #cancelWithdrawn(): Promise<void> {
    const { store, clock } = this.#ports;
    for (let batch = 0; batch < maxEndBatches; batch++) {
      if (!(await store.cancelWithdrawn(clock.now(), endBatchSize))) return;
    }
  }

  async #look(): Promise<void> {
    this.#ports.onNextDue(await this.#ports.store.nextDue());
  }
}
