/** Keeps the newest items, within a number and a size. */

export class RingBuffer<Item extends { readonly bytes: number }> {
  #items: Item[] = [];
  #bytes = 0;
  readonly #maxItems: number;
  readonly #maxBytes: number;

  constructor(options: { maxItems: number; maxBytes: number }) {
    this.#maxItems = options.maxItems;
    this.#maxBytes = options.maxBytes;
  }

  add(item: Item): void {
    this.#items.push(item);
    this.#bytes += item.bytes;
    let dropped = 0;
    while (
      this.#items.length - dropped > this.#maxItems ||
      (this.#bytes > this.#maxBytes && dropped < this.#items.length - 1)
    ) {
      this.#bytes -= this.#items[dropped]?.bytes ?? 0;
      dropped++;
    }
    if (dropped > 0) this.#items.splice(0, dropped);
  }

  /** Oldest first. */
  get items(): readonly Item[] {
    return this.#items;
  }

  /** Removes those that match; all by default. */
  clear(matches: (item: Item) => boolean = () => true): void {
    this.#items = this.#items.filter((item) => !matches(item));
    this.#bytes = this.#items.reduce((sum, item) => sum + item.bytes, 0);
  }
}
