/** Remembers what succeeded lately, so that a repetition is not done again. */

export class RecentKeys {
  readonly #size: number;
  readonly #keys = new Set<string>();

  /** The oldest key gives way when there are more than `size`. */
  constructor(size: number) {
    this.#size = size;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(key: string): void {
    this.#keys.add(key);
    if (this.#keys.size <= this.#size) return;
    const [oldest] = this.#keys;
    if (oldest !== undefined) this.#keys.delete(oldest);
  }
}
