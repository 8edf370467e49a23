/** Counts of the last hour, minute by minute, and of all since the start. */

import type { Clock } from "../clock.ts";

/** What became of attempts. */
export interface AttemptCounts {
  readonly attempts: number;
  readonly accepted: number;
  /** Refused, or never sent. */
  readonly failed: number;
  /** Of those, and of the unknown, the ones that are the provider's fault. */
  readonly faults: number;
  /** They may have gone out. */
  readonly unknown: number;
}

/** What an attempt is counted as. */
export type CountedOutcome = "accepted" | "failed" | "unknown";

type Counts = { -readonly [Name in keyof AttemptCounts]: number };

const minuteMs = 60_000;
const minutesKept = 60;

export class MinuteCounts {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #total = zero();
  /** By minute, the newest last; a minute without attempts has none. */
  readonly #minutes = new Map<number, Counts>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  count(outcome: CountedOutcome, isFault: boolean): void {
    const minute = this.#minute();
    let counts = this.#minutes.get(minute);
    if (counts === undefined) {
      counts = zero();
      this.#minutes.set(minute, counts);
      for (const old of this.#minutes.keys()) {
        if (old <= minute - minutesKept) this.#minutes.delete(old);
      }
    }
    for (const each of [this.#total, counts]) {
      each.attempts++;
      each[outcome]++;
      if (isFault) each.faults++;
    }
  }

  /** Since the start. */
  get total(): AttemptCounts {
    return { ...this.#total };
  }

  /** The minute that runs and those before it; 60 at most. */
  ofLast(minutes: number): AttemptCounts {
    const sum = zero();
    const first = this.#minute() - minutes;
    for (const [minute, counts] of this.#minutes) {
      if (minute <= first) continue;
      sum.attempts += counts.attempts;
      sum.accepted += counts.accepted;
      sum.failed += counts.failed;
      sum.faults += counts.faults;
      sum.unknown += counts.unknown;
    }
    return sum;
  }

  #minute(): number {
    return Math.floor(this.#clock.monotonic() / minuteMs);
  }
}

function zero(): Counts {
  return { attempts: 0, accepted: 0, failed: 0, faults: 0, unknown: 0 };
}
