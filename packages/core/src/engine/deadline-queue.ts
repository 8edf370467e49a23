/**
 * Deadlines of very many short-lived entries that all last equally long: a list
 * in order of entry and one timer for its head. Adding and removing cost a few
 * assignments, where a timer for each would be felt.
 */

import type { Clock, Timer } from "../ports/clock.ts";

/** What has a deadline. The links are the queue's; start with `undefined`. */
export interface DeadlineEntry<Entry> {
  /** Monotonic; set by the queue. */
  deadlineAt: number;
  earlier: Entry | undefined;
  later: Entry | undefined;
  /** Called once, unless the entry was removed before. */
  expire(): void;
}

/** How much later than its deadline an entry may expire, in milliseconds. */
export const deadlineSlackMs = 50;

/** A timer that is so much too late tells of a standstill; milliseconds. */
const standstillMs = 500;

type DeadlineClock = Pick<Clock, "monotonic" | "setTimer" | "nextTurn">;

export class DeadlineQueue<Entry extends DeadlineEntry<Entry>> {
  readonly #clock: DeadlineClock;
  readonly #durationMs: number;
  #first: Entry | undefined;
  #last: Entry | undefined;
  #timer: Timer | undefined;

  constructor(clock: DeadlineClock, durationMs: number) {
    this.#clock = clock;
    this.#durationMs = durationMs;
  }

  add(entry: Entry): void {
    entry.deadlineAt = this.#clock.monotonic() + this.#durationMs;
    entry.earlier = this.#last;
    if (this.#last === undefined) this.#first = entry;
    else this.#last.later = entry;
    this.#last = entry;
    this.#timer ??= this.#setTimer(this.#durationMs);
  }

  /** Does nothing when the entry is not in the queue. */
  remove(entry: Entry): void {
    const { earlier, later } = entry;
    if (earlier !== undefined) earlier.later = later;
    else if (this.#first === entry) this.#first = later;
    else return;
    if (later !== undefined) later.earlier = earlier;
    else this.#last = earlier;
    entry.earlier = undefined;
    entry.later = undefined;
  }

  /** The entries there are now, oldest first; they stay. */
  list(): Entry[] {
    const entries: Entry[] = [];
    for (let entry = this.#first; entry !== undefined; entry = entry.later) {
      entries.push(entry);
    }
    return entries;
  }

  /** Takes out all entries, oldest first. */
  *drain(): Generator<Entry> {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (;;) {
      const entry = this.#first;
      if (entry === undefined) return;
      this.remove(entry);
      yield entry;
    }
  }

  // The timer outlives the entries it was set for: with steady traffic it is
  // set once per duration and not once per entry.
  #setTimer(ms: number): Timer {
    const dueAt = this.#clock.monotonic() + ms;
    return this.#clock.setTimer(ms, () => {
      // Kept until it was looked: nobody sets a second one meanwhile.
      if (this.#clock.monotonic() - dueAt > standstillMs) {
        void this.#expireAfterInput();
      } else this.#expireDue();
    });
  }

  /**
   * The process stood still, and timers come before I/O: answers that are there
   * already have their turn first.
   */
  async #expireAfterInput(): Promise<void> {
    await this.#clock.nextTurn();
    await this.#clock.nextTurn();
    this.#expireDue();
  }

  #expireDue(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (;;) {
      const entry = this.#first;
      if (entry === undefined) return;
      const restMs = entry.deadlineAt - now;
      if (restMs > 0) {
        // Expiring may have added entries, and with them a timer. A timer
        // for each deadline by itself would be one for each entry again.
        this.#timer ??= this.#setTimer(Math.max(restMs, deadlineSlackMs));
        return;
      }
      this.remove(entry);
      entry.expire();
    }
  }
}
