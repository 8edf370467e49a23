/**
 * A text on its way to a phone (mobile-terminated). The sender builds it, the
 * provider fills in `msgid` and `meta`; it stays the same object throughout.
 */

import { digitsOnly } from "./phone-number.ts";

/** What a message asks of whichever provider sends it. */
export interface ProviderOptions {
  /** Replies are welcome. Default true. */
  allowReply: boolean;
  /** Ask the network for delivery receipts. Default false. */
  statusReport: boolean;
  /** Validity in minutes; null leaves it to the carrier. */
  expires: number | null;
  /** Shown as the sender; wins over `src`. */
  senderId: string | null;
  /** High priority: faster and dearer. Default false. */
  escalate: boolean;
  /**
   * Kind of traffic, such as `otp`, `transactional` or `bulk`: what delivery
   * policies and opt-out exemptions look at. Ours; other peers ignore it.
   */
  messageClass: string | null;
  /** Keys we do not know pass through to the provider. */
  [key: string]: unknown;
}

/** How the gateway came to the provider of a message. */
export interface ProviderChoice {
  readonly by: "explicit" | "router" | "policy" | "default";
  readonly provider: string;
  /** The policy rule that matched. */
  readonly rule?: string;
  /** Taken from the rule's senders, as the message named none. */
  readonly sender?: string;
  /** Providers that were tried before and failed, in order. */
  readonly failures?: readonly ProviderFailure[];
}

/** A provider that was asked before the one that took the message. */
export interface ProviderFailure {
  readonly provider: string;
  readonly error: unknown;
}

/** Plain data of a message, safe to store and to read back. */
export interface OutgoingMessageJson {
  readonly src: string | null;
  readonly dst: string;
  readonly body: string;
  readonly provider: string | null;
  readonly providerOptions: Partial<ProviderOptions>;
  readonly providerParams: Record<string, unknown>;
  readonly routingValues: readonly unknown[] | null;
  readonly msgid: string | null;
  readonly meta: Record<string, unknown> | null;
}

const DEFAULT_OPTIONS: Readonly<ProviderOptions> = Object.freeze({
  allowReply: true,
  statusReport: false,
  expires: null,
  senderId: null,
  escalate: false,
  messageClass: null,
});

/** A text to a phone, and what became of it. */
export class OutgoingMessage<
  Route extends readonly unknown[] = readonly unknown[],
> {
  /** Sender, exactly as given: it may be alphanumeric. */
  src: string | null;
  /** Recipient, digits only. */
  dst: string;
  body: string;
  /** The demanded provider before sending, the one that sent it after. */
  provider: string | null;
  providerOptions: ProviderOptions = { ...DEFAULT_OPTIONS };
  /** Raw parameters for the provider; they override what options imply. */
  providerParams: Record<string, unknown> = {};
  /** Non-null once `route` was called, even without values. */
  routingValues: readonly unknown[] | null = null;
  /** The provider's id of this message; set once it was sent. */
  msgid: string | null = null;
  /** Whatever else the provider said about it. */
  meta: Record<string, unknown> | null = null;
  /**
   * When the provider accepted it. Set before the `onSend` hooks run: an error
   * from `send` with `sentAt` set means "sent, but a hook failed".
   */
  sentAt: Date | null = null;
  /**
   * True after sending when nothing leaves for a phone: the provider, or the
   * one behind a forward server, only stands in for a carrier.
   */
  simulated = false;
  /** How the provider was chosen in the last `send`. */
  choice: ProviderChoice | null = null;

  #explicit: Set<string> | undefined;

  constructor(
    dst: string,
    body: string,
    src: string | null = null,
    provider: string | null = null,
  ) {
    this.src = src;
    this.dst = digitsOnly(dst);
    this.body = body;
    this.provider = provider;
  }

  /** Merges into the provider options. */
  options(options: Partial<ProviderOptions>): this {
    this.#explicit ??= new Set();
    for (const [key, value] of Object.entries(options)) {
      if (value === undefined || key === "__proto__") continue;
      this.providerOptions[key] = value;
      this.#explicit.add(key);
    }
    return this;
  }

  /** Replaces the provider's raw parameters. */
  params(params: Record<string, unknown>): this {
    this.providerParams = params;
    return this;
  }

  /** Asks the gateway's router, which receives these values. */
  route(...values: Route): this {
    this.routingValues = values;
    return this;
  }

  /** The options that were set on purpose, or differ from the defaults. */
  explicitOptions(): Partial<ProviderOptions> {
    const options: Partial<ProviderOptions> = {};
    for (const [key, value] of Object.entries(this.providerOptions)) {
      if (this.#explicit?.has(key) || value !== DEFAULT_OPTIONS[key]) {
        options[key] = value;
      }
    }
    return options;
  }

  /**
   * Makes the message ready for another attempt: clears the outcome, and what
   * the gateway rather than the sender had chosen, so that the retry is not
   * pinned to the provider that failed.
   */
  reset(): this {
    const choice = this.choice;
    if (choice !== null) {
      // Restored even if explicit: a forward pair leaves the remote name here.
      this.provider = choice.by === "explicit" ? choice.provider : null;
    }
    if (choice?.sender !== undefined && this.src === choice.sender) {
      this.src = null;
    }
    this.choice = null;
    this.msgid = null;
    this.meta = null;
    this.sentAt = null;
    this.simulated = false;
    return this;
  }

  /** An unsent message with the same content and wishes. */
  clone(): OutgoingMessage<Route> {
    const copy = OutgoingMessage.fromJSON(this.toJSON());
    copy.choice = this.choice;
    return copy.reset() as OutgoingMessage<Route>;
  }

  toJSON(): OutgoingMessageJson {
    return {
      src: this.src,
      dst: this.dst,
      body: this.body,
      provider: this.provider,
      providerOptions: this.explicitOptions(),
      providerParams: { ...this.providerParams },
      routingValues: this.routingValues,
      msgid: this.msgid,
      meta: this.meta,
    };
  }

  static fromJSON(json: OutgoingMessageJson): OutgoingMessage {
    const message = new OutgoingMessage(
      json.dst,
      json.body,
      json.src,
      json.provider,
    )
      .options(json.providerOptions)
      .params({ ...json.providerParams });
    message.routingValues = json.routingValues;
    message.msgid = json.msgid;
    message.meta = json.meta;
    return message;
  }
}
