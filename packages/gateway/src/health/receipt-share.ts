/**
 * How many texts get a final receipt, of the newest for which one is expected.
 * A receipt may come before the answer to the request that sent the text.
 */

export interface ReceiptCounts {
  /** Texts that a receipt is expected for, of the newest 2,000. */
  readonly expected: number;
  /** Those of them that got one after which no other comes. */
  readonly final: number;
}

const textsKept = 2000;

/** `early`: it is not known yet which text it is of. */
type Text = "open" | "final" | "early";

export class ReceiptShare {
  /** By the provider's id, the oldest first. */
  readonly #texts = new Map<string, Text>();

  accepted(msgid: string): void {
    this.#keep(msgid, this.#texts.get(msgid) === "early" ? "final" : "open");
  }

  settled(msgid: string): void {
    const known = this.#texts.get(msgid);
    if (known === undefined) this.#keep(msgid, "early");
    else if (known === "open") this.#texts.set(msgid, "final");
  }

  get counts(): ReceiptCounts {
    let final = 0;
    let early = 0;
    for (const text of this.#texts.values()) {
      if (text === "final") final++;
      else if (text === "early") early++;
    }
    return { expected: this.#texts.size - early, final };
  }

  #keep(msgid: string, text: Text): void {
    this.#texts.delete(msgid);
    this.#texts.set(msgid, text);
    if (this.#texts.size <= textsKept) return;
    const [oldest = ""] = this.#texts.keys();
    this.#texts.delete(oldest);
  }
}
