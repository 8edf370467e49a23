import { loadOnce } from "@carillon/core";

/**
 * A part of a program that is loaded when it is first used: a start does not
 * wait for what it does not need. It is closed with its owner, whenever that
 * happens. A load that failed is tried again by the next who needs the part.
 */
export class LazyPart<Part> {
  readonly #load: () => Promise<Part>;
  readonly #close: (part: Part) => void | Promise<void>;
  /** The last load that was asked for. */
  #part: Promise<Part> | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    load: () => Promise<Part>,
    close: (part: Part) => void | Promise<void>,
  ) {
    this.#load = loadOnce(() => this.#open(load));
    this.#close = close;
  }

  /** After `close` the part is a closed one. */
  get(): Promise<Part> {
    this.#part = this.#load();
    return this.#part;
  }

  /** Loads nothing; idempotent. */
  close(): Promise<void> {
    // A part that could not be loaded needs no closing.
    this.#closed ??=
      this.#part?.then(this.#close, () => {}) ?? Promise.resolve();
    return this.#closed;
  }

  async #open(load: () => Promise<Part>): Promise<Part> {
    const isLate = this.#closed !== undefined;
    const part = await load();
    if (isLate) await this.#close(part);
    return part;
  }
}
