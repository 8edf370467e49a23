/**
 * Which texts were taken already, so that one that is handed over again is not
 * handed on again. It has room for the latest; of older ones whoever keeps the
 * texts knows.
 */

const defaultLimit = 10_000;

/** Remembers ids until there are too many. */
export class TakenIds {
  // Oldest first; each resolves once its text is taken.
  readonly #ids = new Map<string, Promise<unknown>>();
  readonly #limit: number;

  constructor(limit: number = defaultLimit) {
    this.#limit = limit;
  }

  /**
   * Takes a text unless it was taken, or waits for whoever is at it. Rejects as
   * `take` does; the next call tries again.
   */
  async takeOnce(id: string, take: () => Promise<unknown>): Promise<void> {
    const known = this.#ids.get(id);
    if (known !== undefined) {
      await known;
      return;
    }
    const taking = take();
    this.#ids.set(id, taking);
    const [oldest] = this.#ids.keys();
    if (this.#ids.size > this.#limit && oldest !== undefined) {
      this.#ids.delete(oldest);
    }
    try {
      await taking;
    } catch (error) {
      if (this.#ids.get(id) === taking) this.#ids.delete(id);
      throw error;
    }
  }
}
