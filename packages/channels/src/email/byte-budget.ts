/** Room for bytes in memory, shared by all who would fill it at once. */

/** First come, first served; who asks for more than there is takes it all. */
export class ByteBudget {
  readonly #total: number;
  #left: number;
  readonly #waiting: {
    readonly bytes: number;
    readonly start: () => void;
  }[] = [];

  /** @param total bytes */
  constructor(total: number) {
    this.#total = total;
    this.#left = total;
  }

  /**
   * Resolves once there is room; what is answered gives it back, once.
   *
   * @throws the signal's reason; then nothing is taken
   */
  async take(bytes: number, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    const wanted = Math.min(bytes, this.#total);
    if (this.#waiting.length > 0 || wanted > this.#left) {
      await this.#turn(wanted, signal);
    } else this.#left -= wanted;
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (!isTaken) return;
        isTaken = false;
        this.#left += wanted;
        this.#startNext();
      },
    };
  }

  /** Its bytes are taken when it resolves. */
  #turn(bytes: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => {
      this.#waiting.splice(this.#waiting.indexOf(entry), 1);
      reject(signal.reason);
      // It may have been too large for the room that is left.
      this.#startNext();
    };
    const start = () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    };
    const entry = { bytes, start };
    this.#waiting.push(entry);
    signal.addEventListener("abort", onAbort, { once: true });
    return promise;
  }

  #startNext(): void {
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || next.bytes > this.#left) return;
      this.#waiting.shift();
      this.#left -= next.bytes;
      next.start();
    }
  }
}
