/**
 * Ids of texts at carriers that take ours. They say for which account they were
 * made: a carrier that does not know an id of another account's says nothing of
 * the text.
 */

export class AccountIds {
  readonly #prefix: string;
  readonly #tag: string;

  /**
   * @param prefix tells installations with one account apart; the dash is there
   * without one, too
   * @param account what makes it another: carrier, user, address
   */
  constructor(prefix: string | undefined, account: readonly string[]) {
    this.#prefix = prefix ?? "";
    this.#tag = tagOf(JSON.stringify(account));
  }

  /** A text's id at the carrier, and with us: but for its end it is a name. */
  toId(id: string): string {
    return `${this.#prefix}-${id}-${this.#tag}`;
  }

  /** Whether an id was made for this account, under whatever prefix. */
  isOwn(msgid: string): boolean {
    return msgid.endsWith(`-${this.#tag}`);
  }
}

/** FNV-1a of 32 bits: it tells accounts apart, and keeps no secret. */
function tagOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const octet of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ octet, 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
