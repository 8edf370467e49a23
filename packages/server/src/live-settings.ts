/**
 * The settings that hold now. Made once in the composition root; parts either
 * read them when they use them, or make something of them and are told.
 */

import type { Config } from "./config.ts";

/**
 * Makes ready what the next settings need, and answers what puts it in place.
 * It throws when it cannot; then nothing was changed. Putting in place never
 * fails.
 */
export type PrepareChange = (next: Config, before: Config) => () => void;

/** Holds the settings, and changes all of them at once. */
export class LiveSettings {
  #current: Config;
  readonly #parts: PrepareChange[] = [];

  constructor(first: Config) {
    this.#current = first;
  }

  get(): Config {
    return this.#current;
  }

  /** Parts are prepared, then changed, in the order in which they came. */
  onChange(prepare: PrepareChange): void {
    this.#parts.push(prepare);
  }

  /** @throws what a part cannot make ready; then nothing was changed */
  change(next: Config): void {
    const before = this.#current;
    const ready = this.#parts.map((prepare) => prepare(next, before));
    this.#current = next;
    for (const putInPlace of ready) putInPlace();
  }
}
