/** How engines hold ranges and deliveries of the in-memory store. */

import type { Clock, EpochMs, Lease } from "@carillon/core";
import type { Hold } from "./rows.ts";

/** Grants holds for leases, on the time that they all run on. */
export class Holds {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  grant({ owner, leaseMs }: Lease): Hold {
    return { owner, until: this.#clock.monotonic() + leaseMs };
  }

  now(): EpochMs {
    return this.#clock.now();
  }

  hasEnded({ until }: Hold): boolean {
    return until <= this.#clock.monotonic();
  }
}

/** Nobody's again; what its last holder still writes comes too late. */
export function freed<Row extends { fence: number; hold?: Hold }>({
  hold: _,
  ...row
}: Row): Omit<Row, "hold"> {
  return { ...row, fence: row.fence + 1 };
}
