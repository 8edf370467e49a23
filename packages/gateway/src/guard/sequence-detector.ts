/**
 * Sees recipients that count up or down: whoever earns from texts has ranges of
 * numbers, and goes through them in order. In bounded memory, of this process.
 */

/** A number at most so far from the one before it goes on with its run. */
const maxStep = 3;

/** Runs kept for each prefix, so that other numbers between do not end one. */
const runsPerPrefix = 4;

/** Prefixes kept at most; the one that was not seen for longest goes. */
const maxPrefixes = 10_000;

/** A run ends when its next number does not come for so long. */
const windowMs = 10 * 60_000;

/** Digits at the end of a number that a run may change. */
const runDigits = 3;

interface Run {
  last: number;
  /** 0 while it has one number. */
  direction: -1 | 0 | 1;
  length: number;
  at: number;
}

export class SequenceDetector {
  /** The ones seen last are last. */
  readonly #runs = new Map<string, Run[]>();

  /** Prefixes that are kept. */
  get size(): number {
    return this.#runs.size;
  }

  /**
   * Notes a recipient, and answers how many numbers its run has.
   *
   * @param group runs of different groups have nothing to do with each other
   * @param now steady milliseconds
   */
  note(group: string, digits: string, now: number): number {
    const key = `${group} ${digits.slice(0, -runDigits)}`;
    const value = Number(digits.slice(-runDigits));
    const known = this.#runs.get(key) ?? [];
    const runs = known.filter(({ at }) => now - at < windowMs);
    this.#runs.delete(key);
    this.#runs.set(key, runs);
    if (this.#runs.size > maxPrefixes) {
      for (const oldest of this.#runs.keys()) {
        this.#runs.delete(oldest);
        break;
      }
    }
    const run = runs.find((it) => goesOn(it, value));
    if (run === undefined) {
      runs.push({ last: value, direction: 0, length: 1, at: now });
      if (runs.length > runsPerPrefix) runs.shift();
      return 1;
    }
    run.at = now;
    if (value === run.last) return run.length;
    run.direction = value > run.last ? 1 : -1;
    run.last = value;
    run.length++;
    return run.length;
  }
}

function goesOn({ last, direction }: Run, value: number): boolean {
  const step = value - last;
  if (step === 0) return true;
  return Math.abs(step) <= maxStep && Math.sign(step) !== -direction;
}
