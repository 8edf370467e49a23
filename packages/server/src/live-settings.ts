/**
 * The settings that hold now. Made once in the composition root; parts either
 * read them when they use them, or make something of them and are told.
 */

import type { Config } from "./config.ts";

/** Names a key that stays as it is while what it stands for has changed. */
export type NoteChange = (path: string) => void;

/**
 * Makes ready what the next settings need, and answers what puts it in place.
 * It throws when it cannot; then nothing was changed. Putting in place never
 * fails.
 */
export type PrepareChange = (
  next: Config,
  before: Config,
  note: NoteChange,
) => () => void;

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

  /**
   * Answers what the parts noted.
   *
   * @throws what a part cannot make ready; then nothing was changed
   */
  change(next: Config): readonly string[] {
    const before = this.#current;
    const noted: string[] = [];
    const note = (path: string) => noted.push(path);
    const ready = this.#parts.map((prepare) => prepare(next, before, note));
    this.#current = next;
    for (const putInPlace of ready) putInPlace();
    return noted;
  }
}
