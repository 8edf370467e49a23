/**
 * What the operations of a transaction made out of date, for caches; see
 * `StoreChanges` in core. It goes with the answer to the commit.
 */

import type { StoreChange } from "@carillon/core";

/** What is more in one transaction is told as one notice of all. */
const maxNotices = 64;

export class ChangeNotices {
  #noted: StoreChange[] = [];

  note(change: StoreChange): void {
    this.#noted.push(change);
  }

  /** How much is noted, for {@link takeBack}. */
  mark(): number {
    return this.#noted.length;
  }

  /** Forgets what was noted since: its operation was undone. */
  takeBack(mark: number): void {
    this.#noted.length = mark;
  }

  /** Each once; `undefined`: none. Nothing is noted any more. */
  take(): readonly StoreChange[] | undefined {
    if (this.#noted.length === 0) return undefined;
    const noted = this.#noted;
    this.#noted = [];
    if (noted.length === 1) return noted;
    const byText = new Map(noted.map((it) => [JSON.stringify(it), it]));
    if (byText.size > maxNotices) return [{ kind: "all" }];
    return [...byText.values()];
  }
}
