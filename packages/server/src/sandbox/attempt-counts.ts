/**
 * Counts the attempts that a recipient has seen, for outcomes such as "refused
 * twice, then accepted".
 */

import { createHash } from "node:crypto";

const maxCounts = 10_000;

export class AttemptCounts {
  readonly #counts = new Map<string, number>();

  /**
   * Counts one more attempt of a message at a recipient, and answers how many
   * there were before. Messages are counted apart, so that one does not use up
   * the refusals of another; what belongs to no message is counted together.
   * Of more than 10000 the one that was counted longest ago begins anew.
   */
  add(recipient: string, messageId = ""): number {
    // As a digest each takes the same memory, however long the recipient is.
    const key = createHash("sha256")
      .update(`${messageId} ${recipient}`)
      .digest("base64");
    const before = this.#counts.get(key) ?? 0;
    // A map keeps the order of insertion: the oldest one stands in front.
    this.#counts.delete(key);
    this.#counts.set(key, before + 1);
    if (this.#counts.size > maxCounts) {
      for (const oldest of this.#counts.keys()) {
        this.#counts.delete(oldest);
        break;
      }
    }
    return before;
  }
}
