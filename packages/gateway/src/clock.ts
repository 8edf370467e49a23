/** Time as an argument, so that waits and windows can be tested at once. */

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs a function once, later; the returned function calls it off. */
  after(delayMs: number, run: () => void): () => void;
}

/** The real one. Its timers do not keep a process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, run) {
    // Longer delays would overflow the timer's 31 bits and fire at once.
    const timer: unknown = setTimeout(run, Math.min(delayMs, 0x7fffffff));
    if (hasUnref(timer)) timer.unref();
    return () => clearTimeout(timer as ReturnType<typeof setTimeout>);
  },
};

function hasUnref(timer: unknown): timer is { unref(): void } {
  return typeof timer === "object" && timer !== null && "unref" in timer;
}
