/** Remembers what succeeded lately, so that a repetition is not done again. */

export class RecentKeys {
  readonly #size: number;
  readonly #keys = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();

  /** The oldest key gives way when there are more than `size`. */
  constructor(size: number) {
    this.#size = size;
  }

  /**
   * Does the work unless it succeeded lately for this key. While it is being
   * done, whoever wants it too waits for it and shares its outcome.
   */
  async once(key: string, work: () => Promise<void>): Promise<void> {
    if (this.#size === 0) return work();
    if (this.#keys.has(key)) return;
    let running = this.#running.get(key);
    if (running === undefined) {
      running = work()
        .then(() => this.#add(key))
        .finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    await running;
  }

  #add(key: string): void {
    this.#keys.add(key);
    if (this.#keys.size <= this.#size) return;
    const [oldest] = this.#keys;
    if (oldest !== undefined) this.#keys.delete(oldest);
  }
}
