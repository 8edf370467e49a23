/**
 * Mailboxes in which a transaction may have left something to fetch: hints for
 * those who wait for it. One too many does no harm, so what was undone is not
 * taken back.
 */

export class ReadyMailboxes {
  /** Whether anybody wants to know. */
  isWatched = false;
  readonly #noted = new Set<number>();

  add(mailboxes: ReadonlySet<number>): void {
    if (!this.isWatched) return;
    for (const mailbox of mailboxes) this.#noted.add(mailbox);
  }

  /** Each once; `undefined`: none. Nothing is noted any more. */
  take(): readonly number[] | undefined {
    if (this.#noted.size === 0) return undefined;
    const noted = [...this.#noted];
    this.#noted.clear();
    return noted;
  }
}
