/**
 * What the operations of a transaction did to messages in mailboxes. It goes with
 * the answer to the commit, and what was undone is taken back: it is counted.
 */

import type { QueueOutcomes, SettledMessage } from "@carillon/core";

/** How much is noted. */
export type OutcomesMark = readonly [settled: number, returned: number];

export class NotedOutcomes {
  /** Whether anybody wants to know. */
  isWatched = false;
  #settled: SettledMessage[] = [];
  #returned = 0;

  settled(message: SettledMessage): void {
    if (this.isWatched) this.#settled.push(message);
  }

  returned(): void {
    if (this.isWatched) this.#returned++;
  }

  /** For {@link takeBack}. */
  mark(): OutcomesMark {
    return [this.#settled.length, this.#returned];
  }

  /** Forgets what was noted since: its operation was undone. */
  takeBack([settled, returned]: OutcomesMark): void {
    this.#settled.length = settled;
    this.#returned = returned;
  }

  /** `undefined`: nothing came of any. Nothing is noted any more. */
  take(): QueueOutcomes | undefined {
    if (this.#settled.length === 0 && this.#returned === 0) return undefined;
    const outcomes = { settled: this.#settled, returned: this.#returned };
    this.#settled = [];
    this.#returned = 0;
    return outcomes;
  }
}
