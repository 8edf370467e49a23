/**
 * Stops sending to a provider that mostly fails, and lets one attempt through
 * from time to time to see whether it has recovered.
 */

import type { Clock } from "../clock.ts";
import type { BreakerPolicy } from "./policy-data.ts";

/**
 * `closed` lets all attempts through, `open` none, `half-open` a single one.
 */
export type BreakerState = "closed" | "open" | "half-open";

/** Leave to make one attempt; exactly one of the three must follow. */
export interface BreakerPass {
  succeeded(): void;
  failed(): void;
  /** The attempt says nothing about the provider. */
  released(): void;
}

interface Bucket {
  readonly startsAt: number;
  attempts: number;
  failures: number;
}

const BUCKETS = 10;

export class Breaker {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #failureRate: number;
  readonly #minimumAttempts: number;
  readonly #bucketMs: number;
  readonly #openMs: number;
  #buckets: Bucket[] = [];
  #openedAt: number | undefined;
  #probing = false;

  constructor(policy: BreakerPolicy, clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
    this.#failureRate = policy.failureRate ?? 0.5;
    this.#minimumAttempts = policy.minimumAttempts ?? 5;
    this.#bucketMs = ((policy.windowSeconds ?? 60) * 1000) / BUCKETS;
    this.#openMs = (policy.openSeconds ?? 30) * 1000;
  }

  get state(): BreakerState {
    if (this.#openedAt === undefined) return "closed";
    return this.probeInMs > 0 ? "open" : "half-open";
  }

  /** Milliseconds to the next probe; 0 when closed or due. */
  get probeInMs(): number {
    if (this.#openedAt === undefined) return 0;
    const probeAt = this.#openedAt + this.#openMs;
    // Whole, for callers see it; never earlier than the probe.
    return Math.max(0, Math.ceil(probeAt - this.#clock.monotonic()));
  }

  /** Undefined while open, and while another attempt is probing. */
  admit(): BreakerPass | undefined {
    const state = this.state;
    if (state === "open" || (state === "half-open" && this.#probing)) {
      return undefined;
    }
    const isProbe = state === "half-open";
    if (isProbe) this.#probing = true;
    const end = (): void => {
      if (isProbe) this.#probing = false;
    };
    return {
      succeeded: () => {
        end();
        if (isProbe) this.#close();
        else this.#count(false);
      },
      failed: () => {
        end();
        if (isProbe) this.#openedAt = this.#clock.monotonic();
        else this.#count(true);
      },
      released: end,
    };
  }

  #close(): void {
    this.#openedAt = undefined;
    this.#buckets = [];
  }

  #count(failed: boolean): void {
    const now = this.#clock.monotonic();
    const oldest = now - BUCKETS * this.#bucketMs;
    let bucket = this.#buckets.at(-1);
    if (bucket === undefined || now - bucket.startsAt >= this.#bucketMs) {
      this.#buckets = this.#buckets.filter((b) => b.startsAt > oldest);
      bucket = { startsAt: now, attempts: 0, failures: 0 };
      this.#buckets.push(bucket);
    }
    bucket.attempts += 1;
    if (!failed) return;
    bucket.failures += 1;
    let attempts = 0;
    let failures = 0;
    for (const b of this.#buckets) {
      attempts += b.attempts;
      failures += b.failures;
    }
    if (
      attempts >= this.#minimumAttempts &&
      failures / attempts >= this.#failureRate
    ) {
      this.#openedAt ??= now;
    }
  }
}
