/**
 * Ranges that could not be worked, because their audience could not be read or
 * for a defect of ours. They are held for a while before they are free again,
 * longer each time: a range that fails at once must not be claimed at once.
 */

import type { Clock, Timer } from "../ports/clock.ts";
import type { AudienceRange } from "../ports/work-store.ts";
import { Backoff } from "./backoff.ts";

export interface RangeRetriesPorts {
  readonly clock: Clock;
  readonly random: () => number;
}

interface Retry {
  readonly backoff: Backoff;
  /** Set while the range is held. */
  waiting: { readonly range: AudienceRange; readonly timer: Timer } | undefined;
}

export class RangeRetries {
  readonly #ports: RangeRetriesPorts;
  readonly #release: (range: AudienceRange) => void;
  #held = 0;
  /** By message and start. */
  readonly #retries = new Map<string, Retry>();

  constructor(
    ports: RangeRetriesPorts,
    release: (range: AudienceRange) => void,
  ) {
    this.#ports = ports;
    this.#release = release;
  }

  /** Ranges that are held. */
  get held(): number {
    return this.#held;
  }

  failed(range: AudienceRange): void {
    const { random, clock } = this.#ports;
    const key = keyOf(range);
    const retry = this.#retries.get(key) ?? {
      backoff: new Backoff(random, { firstMs: 5000, maxMs: 300_000 }),
      waiting: undefined,
    };
    const timer = clock.setTimer(retry.backoff.next(), () => {
      retry.waiting = undefined;
      this.#held--;
      this.#release(range);
    });
    retry.waiting = { range, timer };
    this.#held++;
    this.#retries.set(key, retry);
    if (this.#retries.size > maxRemembered) this.#forgetReleased();
  }

  succeeded(range: AudienceRange): void {
    if (this.#retries.size > 0) this.#retries.delete(keyOf(range));
  }

  #forgetReleased(): void {
    for (const [key, { waiting }] of this.#retries) {
      if (!waiting) this.#retries.delete(key);
    }
  }

  /** Waits for none any more; answers those that are held. */
  drain(): AudienceRange[] {
    const held: AudienceRange[] = [];
    for (const { waiting } of this.#retries.values()) {
      waiting?.timer.cancel();
      if (waiting) held.push(waiting.range);
    }
    this.#retries.clear();
    this.#held = 0;
    return held;
  }
}

/** Released ones are remembered for how often they failed; not for ever. */
const maxRemembered = 1000;

function keyOf({ messageSeq, topicSeq, afterTarget }: AudienceRange): string {
  return `${messageSeq}/${topicSeq}/${afterTarget}`;
}
