/** What was compiled, by what it was compiled from, in bounded memory. */

export class CompiledTemplates<Compiled> {
  readonly #compile: (source: string) => Compiled;
  readonly #maxCharacters: number;
  /** The least recently used first. */
  readonly #kept = new Map<string, Compiled>();
  #characters = 0;

  /**
   * @param maxCharacters of all sources together; what is compiled takes some
   * ten times the memory of its source
   */
  constructor(compile: (source: string) => Compiled, maxCharacters: number) {
    this.#compile = compile;
    this.#maxCharacters = maxCharacters;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** What `compile` throws is not kept. */
  get(source: string): Compiled {
    const known = this.#kept.get(source);
    if (known !== undefined) {
      this.#kept.delete(source);
      this.#kept.set(source, known);
      return known;
    }
    const compiled = this.#compile(source);
    this.#kept.set(source, compiled);
    this.#characters += source.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#characters <= this.#maxCharacters) break;
      this.#kept.delete(oldest);
      this.#characters -= oldest.length;
    }
    return compiled;
  }
}
