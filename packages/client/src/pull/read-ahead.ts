/** Takes what a source gives before it is asked for. */

/**
 * Reads `source` while its consumer is busy, `limit` items ahead at most, so that a
 * connection behind it is seen to live. One consumer at a time.
 */
export class ReadAhead<T> {
  readonly #items: T[] = [];
  readonly #limit: number;
  #isLimited = true;
  #end: { readonly error: unknown } | undefined;
  /** Wakes whoever waits: the source for room, or the consumer for an item. */
  #wake: () => void = () => {};

  constructor(source: AsyncIterable<T>, limit: number) {
    this.#limit = limit;
    void this.#read(source);
  }

  /** Rejects, when all items were taken, with what ended the source. */
  async next(): Promise<T> {
    for (;;) {
      const item = this.#items.shift();
      this.#wake();
      if (item !== undefined) return item;
      if (this.#end !== undefined) throw this.#end.error;
      await this.#change();
    }
  }

  /**
   * What was read and not taken, once the source ends; that is brought about by its
   * own means. Nothing is to be taken any more.
   */
  async rest(): Promise<T[]> {
    this.#isLimited = false;
    this.#wake();
    while (this.#end === undefined) await this.#change();
    return this.#items.splice(0);
  }

  async #read(source: AsyncIterable<T>): Promise<void> {
    try {
      for await (const item of source) {
        this.#items.push(item);
        this.#wake();
        while (this.#isLimited && this.#items.length >= this.#limit) {
          await this.#change();
        }
      }
      this.#end = { error: new Error("There is nothing more to read.") };
    } catch (error) {
      this.#end = { error };
    }
    this.#wake();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
