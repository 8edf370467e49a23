/**
 * Chunks that could not be worked, because their audience could not be read or
 * for a defect of ours. They are held for a while before they are free again,
 * longer each time: a chunk that fails at once must not be claimed at once.
 */

import type { Clock, Timer } from "../ports/clock.ts";
import type { Chunk } from "../ports/delivery-store.ts";
import { Backoff } from "./backoff.ts";

export interface ChunkRetriesPorts {
  readonly clock: Clock;
  readonly random: () => number;
}

interface Retry {
  readonly backoff: Backoff;
  /** Set while the chunk is held. */
  waiting: { readonly chunk: Chunk; readonly timer: Timer } | undefined;
}

export class ChunkRetries {
  readonly #ports: ChunkRetriesPorts;
  readonly #release: (chunk: Chunk) => void;
  #held = 0;
  /** By message and start. */
  readonly #retries = new Map<string, Retry>();

  constructor(ports: ChunkRetriesPorts, release: (chunk: Chunk) => void) {
    this.#ports = ports;
    this.#release = release;
  }

  /** Chunks that are held. */
  get held(): number {
    return this.#held;
  }

  failed(chunk: Chunk): void {
    const { random, clock } = this.#ports;
    const key = keyOf(chunk);
    const retry = this.#retries.get(key) ?? {
      backoff: new Backoff(random, { firstMs: 5000, maxMs: 300_000 }),
      waiting: undefined,
    };
    const timer = clock.setTimer(retry.backoff.next(), () => {
      retry.waiting = undefined;
      this.#held--;
      this.#release(chunk);
    });
    retry.waiting = { chunk, timer };
    this.#held++;
    this.#retries.set(key, retry);
    if (this.#retries.size > maxRemembered) this.#forgetReleased();
  }

  succeeded(chunk: Chunk): void {
    if (this.#retries.size > 0) this.#retries.delete(keyOf(chunk));
  }

  #forgetReleased(): void {
    for (const [key, { waiting }] of this.#retries) {
      if (!waiting) this.#retries.delete(key);
    }
  }

  /** Waits for none any more; answers those that are held. */
  drain(): Chunk[] {
    const held: Chunk[] = [];
    for (const { waiting } of this.#retries.values()) {
      waiting?.timer.cancel();
      if (waiting) held.push(waiting.chunk);
    }
    this.#retries.clear();
    this.#held = 0;
    return held;
  }
}

/** Released ones are remembered for how often they failed; not for ever. */
const maxRemembered = 1000;

function keyOf({ messageSeq, afterTarget }: Chunk): string {
  return `${messageSeq}/${afterTarget}`;
}
