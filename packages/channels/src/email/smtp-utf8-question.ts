/** Whether a mail server takes addresses beyond ASCII, asked as seldom as it may be. */

import { type Clock, orAborted, systemClock } from "@carillon/core";

/** A server that does not take them may have learnt it by then; milliseconds. */
const noLastsMs = 300_000;

/**
 * One question at a time, whose answer is that of all who wait for it. A yes is
 * kept for good, a no for five minutes, and a failure is that of those who wait.
 */
export class SmtpUtf8Question {
  readonly #ask: (signal: AbortSignal) => Promise<boolean>;
  readonly #timeoutMs: number;
  readonly #clock: Pick<Clock, "monotonic" | "setTimer">;
  readonly #closing = new AbortController();
  #known: { readonly answer: boolean; readonly until: number } | undefined;
  #asked: Promise<boolean> | undefined;

  /**
   * @param ask rejects with the signal's reason once that is aborted
   * @param timeoutMs of a question
   */
  constructor(
    ask: (signal: AbortSignal) => Promise<boolean>,
    timeoutMs: number,
    clock: Pick<Clock, "monotonic" | "setTimer"> = systemClock,
  ) {
    this.#ask = ask;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  /** @throws the error of the question; the signal's reason */
  async answer(signal: AbortSignal): Promise<boolean> {
    if (this.#known && this.#clock.monotonic() < this.#known.until) {
      return this.#known.answer;
    }
    this.#asked ??= this.#askOnce().finally(() => {
      this.#asked = undefined;
    });
    // One who leaves leaves it to the others.
    return await orAborted(this.#asked, signal);
  }

  /** Ends the question under way. */
  close(): void {
    this.#closing.abort();
  }

  async #askOnce(): Promise<boolean> {
    const over = new AbortController();
    const timer = this.#clock.setTimer(this.#timeoutMs, () => {
      const error = new Error("The mail server did not answer in time.");
      over.abort(Object.assign(error, { code: "ETIMEDOUT" }));
    });
    try {
      const signal = AbortSignal.any([over.signal, this.#closing.signal]);
      signal.throwIfAborted();
      const answer = await this.#ask(signal);
      const lastsMs = answer ? Number.POSITIVE_INFINITY : noLastsMs;
      this.#known = { answer, until: this.#clock.monotonic() + lastsMs };
      return answer;
    } finally {
      timer.cancel();
    }
  }
}
