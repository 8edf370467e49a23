/**
 * Remembers how endpoints did lately, where that decides who may start: those
 * that were silent to the end, and, while places are scarce, those that
 * answered soon. Bounded; who is not remembered counts as new.
 */

export class EndpointRecord {
  readonly #maxEntries: number;
  /** Endpoint → whether it answered; oldest first. */
  readonly #answered = new Map<string, boolean>();

  constructor(maxEntries = 20_000) {
    this.#maxEntries = maxEntries;
  }

  /** Whether its last attempt ended without an answer. */
  wasSilent(endpoint: string): boolean {
    return this.#answered.get(endpoint) === false;
  }

  /** Whether its last attempt was answered soon, as far as that was noted. */
  hasAnswered(endpoint: string): boolean {
    return this.#answered.get(endpoint) === true;
  }

  /** Its last attempt ended in a way that decides nothing. */
  forget(endpoint: string): void {
    // The usual case, and mostly there is nothing to remove.
    if (this.#answered.size > 0) this.#answered.delete(endpoint);
  }

  note(endpoint: string, answered: boolean): void {
    this.#answered.delete(endpoint);
    this.#answered.set(endpoint, answered);
    if (this.#answered.size <= this.#maxEntries) return;
    for (const oldest of this.#answered.keys()) {
      this.#answered.delete(oldest);
      break;
    }
  }
}
