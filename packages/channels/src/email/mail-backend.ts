/**
 * A backend of mails: an application's own way to send them, written as an object
 * with a method. A channel is made of it, so that retries, limits, the suppression
 * list and the ledger work with it as with a mail server.
 */

import type { BackendState } from "@carillon/gateway";

/** A person or machine that a mail is from, or that answers go to. */
export interface MailParty {
  readonly address: string;
  readonly name?: string;
}

/** A file of a mail. */
export interface MailFile {
  readonly name: string;
  readonly contentType: string;
  readonly content: Uint8Array;
  /** Of an inline image: what `cid:` in the HTML names. */
  readonly contentId?: string;
}

/** A mail as backends see it, ready to be sent. Theirs to keep. */
export interface OutgoingMail {
  /** Of the delivery; the same for each attempt. */
  readonly id: string;
  readonly from: MailParty;
  readonly to: string;
  readonly replyTo?: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  readonly attachments: readonly MailFile[];
  /** Besides those of the other members. */
  readonly headers: Readonly<Record<string, string>>;
  /** With angle brackets; the same for each attempt. */
  readonly messageId: string;
  /** Where reports on it are to go, if not to the sender. */
  readonly returnPath?: string;
  readonly tag?: string;
  /** Empty where none was given. */
  readonly extraData: Readonly<Record<string, unknown>>;
}

/** What came of one mail. */
export interface MailBackendResult {
  /** The service's id of it, which its reports name. */
  readonly externalId?: string | number;
  /**
   * `sending`: reports will follow. Default: that where reports on mails are taken,
   * else `sent`.
   */
  readonly state?: BackendState;
  /** Kept with the mail, merged into what is there: a flat object. */
  readonly senderData?: Readonly<Record<string, unknown>>;
  /** Why it was not sent: for a mail that was `rejected`. */
  readonly error?: string | Error;
}

/** What a backend may use while it works. */
export interface MailBackendContext {
  /** Aborted when nobody waits any more: at the deadline, and at the end. */
  readonly signal: AbortSignal;
}

type MaybePromise<Value> = Value | Promise<Value>;

// biome-ignore lint/suspicious/noConfusingVoidType: a method may return nothing
type MaybeResult = MailBackendResult | undefined | void;

/**
 * An application's own way to send mails.
 *
 * What it throws decides what follows, as of backends of texts. Any error that is
 * none of their classes leaves open whether the mail went out: it is sent again, as
 * after a connection to a mail server that broke.
 */
export interface MailBackend {
  /** Sends one mail. Nothing in place of a result: the service has it. */
  publishMessage(
    mail: OutgoingMail,
    context: MailBackendContext,
  ): MaybePromise<MaybeResult>;
  /** Opens connections. The first mail waits for it. */
  start?(): unknown;
  /** Closes them. */
  stop?(): unknown;
  /** What no error may show. */
  readonly secrets?: readonly string[];
}

const methods = ["publishMessage", "start", "stop"] as const;

/** A clause that says what is wrong; `undefined` for a backend. */
export function problemWithMailBackend(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) {
    return "expected an object with publishMessage(mail)";
  }
  // Members may be inherited; each is looked at before it is used.
  const members = value as Readonly<Record<string, unknown>>;
  const wrong = methods.filter((name) => {
    const isAbsent = members[name] === undefined && name !== "publishMessage";
    return !isAbsent && typeof members[name] !== "function";
  });
  return wrong.length > 0
    ? `expected methods as ${wrong.join(", ")}`
    : undefined;
}
