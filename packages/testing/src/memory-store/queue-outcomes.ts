/** What a transaction did to messages in mailboxes, told afterwards. */

import type { QueueOutcomes, SettledMessage } from "@carillon/core";

const none: QueueOutcomes = { settled: [], returned: 0 };

export class NotedOutcomes {
  readonly #listeners = new Set<(outcomes: QueueOutcomes) => void>();
  readonly #onUndo: (undo: () => void) => void;
  #noted = none;

  /** @param onUndo keeps what is to be done should the transaction fail */
  constructor(onUndo: (undo: () => void) => void) {
    this.#onUndo = onUndo;
  }

  watch(listener: (outcomes: QueueOutcomes) => void): () => void {
    // Of its own: the same one may listen twice.
    const own = (outcomes: QueueOutcomes) => listener(outcomes);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  settled(message: SettledMessage): void {
    const { settled } = this.#noted;
    this.#note({ ...this.#noted, settled: [...settled, message] });
  }

  returned(): void {
    this.#note({ ...this.#noted, returned: this.#noted.returned + 1 });
  }

  /** Before the caller of the write goes on. */
  tell(): void {
    if (this.#noted === none) return;
    const outcomes = this.#noted;
    this.#noted = none;
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener(outcomes);
    });
  }

  #note(outcomes: QueueOutcomes): void {
    const before = this.#noted;
    this.#onUndo(() => {
      this.#noted = before;
    });
    this.#noted = outcomes;
  }
}
