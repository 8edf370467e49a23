/** Takes what a template renders to, up to a length. */

import { BudgetExceeded } from "./render-budget.ts";

/** What liquidjs writes to, as its own emitters are. */
export class BoundedText {
  buffer = "";
  readonly #maxLength: number;
  readonly #what: string;

  /** @param what begins the sentence that refuses more: "The text" */
  constructor(maxLength: number, what: string) {
    this.#maxLength = maxLength;
    this.#what = what;
  }

  /** @throws BudgetExceeded */
  write(part: unknown): void {
    const text = typeof part === "string" ? part : String(part);
    if (this.buffer.length + text.length > this.#maxLength) {
      throw new BudgetExceeded(
        `${this.#what} becomes longer than ${this.#maxLength} characters.`,
      );
    }
    this.buffer += text;
  }
}
