/**
 * Bounds how much of something runs at once, and how much waits for it: first
 * come, first served. For lanes, rates and breakers look elsewhere.
 */

import { CarillonError } from "./errors.ts";

export interface ConcurrencyLimitOptions {
  /** How many run at once. */
  readonly max: number;
  /** How many wait for their turn; more are refused. Default: no bound. */
  readonly maxWaiting?: number;
}

/** How one waits for a place. */
export interface PlaceOptions {
  /** An abort takes it out of the queue; one that has a place is left alone. */
  readonly signal?: AbortSignal | undefined;
  /** Called at the very moment when the place is taken. */
  readonly onTaken?: (() => void) | undefined;
}

/** Whoever waits, linked to its neighbours in the queue. */
interface Waiter {
  readonly enter: () => void;
  earlier: Waiter | undefined;
  later: Waiter | undefined;
}

const noOptions: PlaceOptions = {};

/** Runs at most `max` tasks at once; further ones wait in order of arrival. */
export class ConcurrencyLimit {
  readonly #max: number;
  readonly #maxWaiting: number;
  #running = 0;
  #waiting = 0;
  // A list rather than an array: who gives up leaves from the middle, and
  // those who were served are not held on to while somebody always waits.
  #first: Waiter | undefined;
  #last: Waiter | undefined;

  constructor(options: ConcurrencyLimitOptions) {
    this.#max = options.max;
    this.#maxWaiting = options.maxWaiting ?? Number.POSITIVE_INFINITY;
  }

  /** How many places are taken. */
  get running(): number {
    return this.#running;
  }

  /** How many wait for a place. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether the next one would be refused. */
  get isFull(): boolean {
    return this.#running >= this.#max && this.#waiting >= this.#maxWaiting;
  }

  /**
   * Runs `task` when it is its turn.
   *
   * @throws CarillonError OVERLOADED when too many wait already, or the
   * signal's reason
   */
  async run<Result>(
    task: () => Promise<Result>,
    options: PlaceOptions = {},
  ): Promise<Result> {
    await this.acquire(options);
    try {
      return await task();
    } finally {
      this.release();
    }
  }

  /** Takes a place if one is free; never ahead of those who wait. */
  tryAcquire(): boolean {
    // A place given back goes to whoever waits, so a free one has no takers.
    if (this.#running >= this.#max) return false;
    this.#running++;
    return true;
  }

  /**
   * Resolves once a place was taken for the caller, who gives it back with
   * {@link release}. An abort while waiting leaves nothing taken. Rejects with
   * CarillonError OVERLOADED when too many wait already, or the signal's reason.
   */
  acquire({ signal, onTaken }: PlaceOptions = noOptions): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.tryAcquire()) {
      onTaken?.();
      return Promise.resolve();
    }
    if (this.isFull) {
      return Promise.reject(
        new CarillonError(
          "OVERLOADED",
          "Too many requests of this kind at once; try again in a moment.",
        ),
      );
    }
    return new Promise((resolve, reject) => {
      // Deliveries come by the thousand: a promise is all that each costs.
      const enter =
        onTaken === undefined ? resolve : announced(onTaken, resolve);
      if (signal === undefined) this.#append(enter);
      else this.#appendUntilAborted(signal, enter, reject);
    });
  }

  /** Gives a place back; whoever waited longest gets it. */
  release(): void {
    const next = this.#first;
    if (next === undefined) {
      this.#running--;
      return;
    }
    this.#remove(next);
    next.enter();
  }

  #appendUntilAborted(
    signal: AbortSignal,
    enter: () => void,
    reject: (reason: unknown) => void,
  ): void {
    const abort = () => {
      this.#remove(waiter);
      reject(signal.reason);
    };
    const waiter = this.#append(() => {
      // At once: an abort from here on finds the place taken.
      signal.removeEventListener("abort", abort);
      enter();
    });
    signal.addEventListener("abort", abort, { once: true });
  }

  #append(enter: () => void): Waiter {
    const waiter: Waiter = { enter, earlier: this.#last, later: undefined };
    if (this.#last === undefined) this.#first = waiter;
    else this.#last.later = waiter;
    this.#last = waiter;
    this.#waiting++;
    return waiter;
  }

  #remove(waiter: Waiter): void {
    const { earlier, later } = waiter;
    if (earlier === undefined) this.#first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
    this.#waiting--;
  }
}

function announced(onTaken: () => void, enter: () => void): () => void {
  return () => {
    onTaken();
    enter();
  };
}
