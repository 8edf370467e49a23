/// <reference lib="esnext.disposable" preserve="true" />

/**
 * A signal that is aborted after a while, or with other signals, until it is
 * disposed of. The timer of an `AbortSignal.timeout` runs to its end, whatever
 * became of the work: of thousands of requests a second they pile up.
 */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #others: readonly (AbortSignal | undefined)[];
  #timer: ReturnType<typeof setTimeout>;
  #isOver = false;

  /** @param timeoutMs then the reason is a `DOMException` named TimeoutError */
  constructor(
    timeoutMs: number,
    ...others: readonly (AbortSignal | undefined)[]
  ) {
    this.#others = others;
    this.#timer = this.#startTimer(timeoutMs);
    for (const other of others) {
      other?.addEventListener("abort", this, { once: true });
    }
    const aborted = others.find((other) => other?.aborted);
    if (aborted !== undefined) this.#end(aborted.reason);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the time was over before anything else. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Measures anew from now on; nothing once the signal is aborted. */
  restart(timeoutMs: number): void {
    if (this.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = this.#startTimer(timeoutMs);
  }

  /** Of the other signals. */
  handleEvent({ target }: Event): void {
    this.#end((target as AbortSignal).reason);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const other of this.#others) {
      other?.removeEventListener("abort", this);
    }
  }

  #startTimer(timeoutMs: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.#isOver = true;
      this.#end(new DOMException("The time is over", "TimeoutError"));
    }, timeoutMs);
  }

  #end(reason: unknown): void {
    this[Symbol.dispose]();
    this.#controller.abort(reason);
  }
}
