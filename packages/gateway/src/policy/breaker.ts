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

/**
 * Leave to make one attempt; one of the three must follow. A probe that settles
 * only after `openSeconds` counts no more: another one may be under way.
 */
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
  #probe: object | undefined;
  #probeStartedAt = 0;

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

  /**
   * Undefined while open, and while another attempt is probing, for as long as
   * it was open at most.
   */
  admit(): BreakerPass | undefined {
    const { state } = this;
    if (state === "open") return undefined;
    if (state === "closed") {
      return {
        succeeded: () => this.#count(false),
        failed: () => this.#count(true),
        released: () => {},
      };
    }
    const now = this.#clock.monotonic();
    const isProbing = this.#probe !== undefined;
    if (isProbing && now - this.#probeStartedAt < this.#openMs) {
      return undefined;
    }
    const probe = {};
    this.#probe = probe;
    this.#probeStartedAt = now;
    const end = (then: () => void) => (): void => {
      if (this.#probe !== probe) return;
      this.#probe = undefined;
      then();
    };
    return {
      succeeded: end(() => this.#close()),
      failed: end(() => {
        this.#openedAt = this.#clock.monotonic();
      }),
      released: end(() => {}),
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
