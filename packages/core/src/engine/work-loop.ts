/**
 * The form of every loop that asks a store for work (docs/internals/delivery.md,
 * "Loops"): level-triggered, bounded by the room there is, and through the event
 * loop each time round. A store that answers at once, late, or not for a while
 * cannot make it spin, miss a hint, or keep I/O from its turn.
 */

import type { Clock, Timer } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import { Backoff } from "./backoff.ts";

export interface WorkLoopPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

export interface WorkLoopSteps {
  /** Names the loop in the log. */
  readonly name: string;
  /** Whether what is claimed now could be begun. */
  hasRoom(): boolean;
  /**
   * Claims work and begins it; answers whether there may be more of it. What
   * it throws is logged, and it is called again after a while.
   */
  claim(): Promise<boolean>;
}

export class WorkLoop {
  readonly #ports: WorkLoopPorts;
  readonly #steps: WorkLoopSteps;
  readonly #backoff: Backoff;
  #isOpen = true;
  #mayHaveWork = false;
  #isLooking = false;
  #looked: Promise<void> = Promise.resolve();
  /** Set while it waits after a failure. */
  #pause: Timer | undefined;
  /** Set while it waits for what is due later. */
  #alarm: Timer | undefined;
  /** When that wakes it; monotonic. */
  #alarmAt = Number.POSITIVE_INFINITY;

  constructor(ports: WorkLoopPorts, steps: WorkLoopSteps) {
    this.#ports = ports;
    this.#steps = steps;
    this.#backoff = new Backoff(ports.random);
  }

  /** Whether somebody said that there may be work, and nobody has looked. */
  get mayHaveWork(): boolean {
    return this.#mayHaveWork;
  }

  /** Whether it looks, or is about to. */
  get isBusy(): boolean {
    return this.#isLooking;
  }

  /** There may be work. */
  wake(): void {
    this.#mayHaveWork = true;
    this.#lookIfNeeded();
  }

  /** There will be work in `ms` milliseconds. */
  wakeIn(ms: number): void {
    if (!this.#isOpen) return;
    if (ms <= 0) {
      this.wake();
      return;
    }
    const { clock } = this.#ports;
    const at = clock.monotonic() + ms;
    if (at >= this.#alarmAt) return;
    this.#clearAlarm();
    this.#alarmAt = at;
    this.#alarm = clock.setTimer(ms, () => {
      this.#clearAlarm();
      this.wake();
    });
  }

  /** There may be room that was not there before. */
  roomFreed(): void {
    this.#lookIfNeeded();
  }

  /** Claims no more; resolves once nothing is being claimed. */
  async stop(): Promise<void> {
    this.#isOpen = false;
    this.#pause?.cancel();
    this.#clearAlarm();
    await this.#looked;
  }

  #clearAlarm(): void {
    this.#alarm?.cancel();
    this.#alarm = undefined;
    this.#alarmAt = Number.POSITIVE_INFINITY;
  }

  #lookIfNeeded(): void {
    if (this.#isLooking || this.#pause || !this.#canLook()) return;
    // Set before anything is called that might wake this loop again.
    this.#isLooking = true;
    this.#looked = this.#look();
  }

  #canLook(): boolean {
    return this.#isOpen && this.#mayHaveWork && this.#steps.hasRoom();
  }

  async #look(): Promise<void> {
    try {
      while (this.#canLook()) {
        // Cleared before the question: a hint that comes while the store
        // answers is not lost.
        this.#mayHaveWork = false;
        if (await this.#steps.claim()) this.#mayHaveWork = true;
        this.#backoff.reset();
        await this.#ports.clock.nextTurn();
      }
    } catch (error) {
      this.#ports.logger.error("claim_failed", {
        loop: this.#steps.name,
        error,
      });
      this.#pauseAfterFailure();
    } finally {
      this.#isLooking = false;
    }
    // Room may have come free in the turn between the last test and here.
    this.#lookIfNeeded();
  }

  #pauseAfterFailure(): void {
    if (!this.#isOpen) return;
    this.#pause = this.#ports.clock.setTimer(this.#backoff.next(), () => {
      this.#pause = undefined;
      this.wake();
    });
  }
}
