/** The outcome of sending to somebody who said stop. */

import { RequestError } from "../errors.ts";
import type { OptOutEntry } from "./store.ts";

/**
 * The recipient has opted out, so nothing was sent. A `RequestError`, for no
 * other provider and no later attempt may succeed.
 */
export class SuppressedError extends RequestError {
  static {
    SuppressedError.prototype.name = "SuppressedError";
  }
  /** `global` covers all senders, `sender` the one of this message. */
  readonly scope: "global" | "sender";
  readonly keyword: string;
  /** When the recipient opted out. */
  readonly since: Date;

  constructor(entry: OptOutEntry) {
    const scope = entry.sender === null ? "global" : "sender";
    const reach = scope === "global" ? "all senders" : "this sender";
    super(
      `The recipient opted out of ${reach} with "${entry.keyword}" ` +
        `on ${entry.at.toISOString()}`,
      { code: "SUPPRESSED" },
    );
    this.scope = scope;
    this.keyword = entry.keyword;
    this.since = entry.at;
  }
}
