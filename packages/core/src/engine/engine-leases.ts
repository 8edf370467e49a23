/**
 * What this engine knows of its own leases. The store decides over them; the
 * engine only needs a time before which none of them can have ended, so that it
 * starts no attempt that another engine might repeat while it runs.
 */

import type { Clock } from "../ports/clock.ts";
import type { Lease } from "../ports/work-store.ts";

export class EngineLeases {
  /** To be handed to the store with each claim. */
  readonly lease: Lease;
  readonly #clock: Pick<Clock, "monotonic">;
  /** Monotonic; whatever is held now was granted for at least so long. */
  #coveredUntil: number;

  constructor(clock: Pick<Clock, "monotonic">, lease: Lease) {
    this.#clock = clock;
    this.lease = lease;
    this.#coveredUntil = clock.monotonic() + lease.leaseMs;
  }

  /**
   * Whether an attempt that ends within `ms` milliseconds would end before any
   * lease of this engine. False for good once leases can no longer be renewed.
   */
  cover(ms: number): boolean {
    return this.#clock.monotonic() + ms <= this.#coveredUntil;
  }

  /**
   * All leases were renewed, or none is held; `askedAt` (monotonic): just before
   * the store was asked. Leases granted since then end later.
   */
  renewed(askedAt: number): void {
    this.#coveredUntil = askedAt + this.lease.leaseMs;
  }
}
