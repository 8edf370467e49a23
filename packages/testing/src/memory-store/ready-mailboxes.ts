/** Mailboxes in which a transaction left something to fetch, told afterwards. */

export class ReadyMailboxes {
  readonly #listeners = new Set<(mailboxes: readonly number[]) => void>();
  readonly #onUndo: (undo: () => void) => void;
  #noted: ReadonlySet<number> = new Set();

  /** @param onUndo keeps what is to be done should the transaction fail */
  constructor(onUndo: (undo: () => void) => void) {
    this.#onUndo = onUndo;
  }

  watch(listener: (mailboxes: readonly number[]) => void): () => void {
    // Of its own: the same one may listen twice.
    const own = (mailboxes: readonly number[]) => listener(mailboxes);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  note(mailbox: number): void {
    const before = this.#noted;
    this.#onUndo(() => {
      this.#noted = before;
    });
    this.#noted = new Set([...before, mailbox]);
  }

  /** Before the caller of the write goes on. */
  tell(): void {
    if (this.#noted.size === 0) return;
    const mailboxes = [...this.#noted];
    this.#noted = new Set();
    queueMicrotask(() => {
      for (const listener of this.#listeners) listener(mailboxes);
    });
  }
}
