/**
 * Where it is kept who said stop to whom. A small port: the application puts
 * a durable store behind it; the one in memory is for tests and small tools.
 */

/** A person who said stop, to one sender or to all. */
export interface OptOutEntry {
  /** The person, digits only. */
  readonly recipient: string;
  /** Which of our senders; null for all of them. */
  readonly sender: string | null;
  /** The word that was sent, or what else led to the entry. */
  readonly keyword: string;
  readonly at: Date;
}

/** Keeps who said stop; an implementation may be asynchronous. */
export interface OptOutStore {
  /** All entries of a recipient. */
  find(
    recipient: string,
  ): Promise<readonly OptOutEntry[]> | readonly OptOutEntry[];
  /** Adds an entry, or replaces the one of the same recipient and sender. */
  put(entry: OptOutEntry): Promise<void> | void;
  /**
   * Removes the entry of a recipient and sender, null meaning the one for all
   * senders. Does nothing if there is none.
   */
  remove(recipient: string, sender: string | null): Promise<void> | void;
}

/** Keeps opt-outs in memory: a restart loses them. */
export class MemoryOptOutStore implements OptOutStore {
  readonly #entries = new Map<string, Map<string | null, OptOutEntry>>();

  find(recipient: string): readonly OptOutEntry[] {
    return [...(this.#entries.get(recipient)?.values() ?? [])];
  }

  put(entry: OptOutEntry): void {
    const entries = this.#entries.get(entry.recipient) ?? new Map();
    entries.set(entry.sender, entry);
    this.#entries.set(entry.recipient, entries);
  }

  remove(recipient: string, sender: string | null): void {
    const entries = this.#entries.get(recipient);
    entries?.delete(sender);
    if (entries?.size === 0) this.#entries.delete(recipient);
  }
}
