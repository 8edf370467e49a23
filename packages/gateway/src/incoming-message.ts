/**
 * A text that came from a phone (mobile-originated). Providers build it from a
 * carrier's request; hooks read it.
 */

import { digitsOnly } from "./phone-number.ts";

/** What is known of an incoming text besides its sender and body. */
export interface IncomingMessageInit {
  readonly msgid?: string | null;
  /** Our number the text was sent to. */
  readonly dst?: string | null;
  /** When it was received; now by default. */
  readonly rtime?: Date;
  readonly meta?: Record<string, unknown>;
}

/** A text from a phone, as its carrier handed it over. */
export class IncomingMessage {
  /** Sender, digits only; empty for an alphanumeric one. */
  src: string;
  body: string;
  msgid: string | null;
  /** Our number, digits only, where the carrier gives it. */
  dst: string | null;
  rtime: Date;
  /**
   * What else the carrier said. `rawSrc` holds the sender as it came when
   * reducing it to digits lost letters.
   */
  meta: Record<string, unknown>;
  /**
   * The provider it came through; behind a forward server, that server's own
   * name for it.
   */
  provider: string | null = null;
  /** The name in this gateway of the provider that took it. */
  entry: string | null = null;
  /** The opt-out keyword family it belongs to, if the gateway looks for it. */
  keyword: "stop" | "start" | "help" | null = null;

  constructor(src: string, body: string, init: IncomingMessageInit = {}) {
    this.src = digitsOnly(src);
    this.body = body;
    this.msgid = init.msgid ?? null;
    this.dst = init.dst ? digitsOnly(init.dst) : null;
    this.rtime = init.rtime ?? new Date();
    this.meta = init.meta ?? {};
    if (/\p{L}/u.test(src)) this.meta = { ...this.meta, rawSrc: src };
  }
}
