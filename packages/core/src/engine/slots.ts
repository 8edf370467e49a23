/** A counted pool of places, with a fair queue of those who wait for one. */

export class Slots {
  readonly #max: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];
  #head = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes a place if one is free and nobody waits. */
  tryTake(): boolean {
    if (this.#taken >= this.#max) return false;
    this.#taken++;
    return true;
  }

  /** Resolves once a place was taken for the caller; first come, first served. */
  take(): Promise<void> {
    if (this.tryTake()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Gives a place back; the one who waited longest gets it. */
  free(): void {
    const next = this.#waiting[this.#head];
    if (next === undefined) {
      this.#taken--;
      return;
    }
    this.#head++;
    // Under load somebody always waits: those who were served are let go of in
    // blocks, not only when the queue is empty.
    if (this.#head === this.#waiting.length || this.#head > 1000) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
    next();
  }
}
