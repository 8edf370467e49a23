/**
 * A session that all requests of a connection share: opened by the first,
 * opened anew once for all when it was refused.
 */

import { abandonOnAbort } from "../abort.ts";
import type { RequestOptions } from "../transport.ts";
import type { Authenticator, Session } from "./authenticator.ts";

export class SharedSession implements Authenticator {
  readonly #open: () => Promise<Session>;
  #opened: Promise<Session> | undefined;

  /** What opens a session has a deadline of its own. */
  constructor(open: () => Promise<Session>) {
    this.#open = open;
  }

  /** Abort ends the waiting only; other requests wait for the same session. */
  session({ signal }: RequestOptions): Promise<Session> {
    this.#opened ??= this.#openOnce();
    return abandonOnAbort(this.#opened, signal);
  }

  async renew(refused: Session, options: RequestOptions): Promise<Session> {
    const held = this.#opened;
    const current = await this.session(options);
    if (current !== refused) return current;
    // Of all requests that were refused, the first one opens a new session.
    if (this.#opened === held) this.#opened = undefined;
    return this.session(options);
  }

  #openOnce(): Promise<Session> {
    const opened = this.#open();
    // The next request logs in again.
    opened.catch(() => {
      if (this.#opened === opened) this.#opened = undefined;
    });
    return opened;
  }
}
