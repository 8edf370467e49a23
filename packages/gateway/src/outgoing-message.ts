/**
 * A text on its way to a phone (mobile-terminated). The sender builds it, the
 * provider fills in `msgid` and `meta`; it stays the same object throughout.
 */

import { describeValue } from "./describe-value.ts";
import { ConfigurationError, RequestError } from "./errors.ts";
import type { MessageRecord } from "./message-record.ts";
import { digitsOnly } from "./phone-number.ts";
import type { SenderData } from "./sender-data.ts";

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
}

/** Options that only some provider knows; the others pass them over. */
export type OtherOptions = Readonly<Record<string, unknown>>;

/** How the gateway came to the provider of a message. */
export interface ProviderChoice {
  readonly by: "explicit" | "router" | "policy" | "default";
  readonly provider: string;
  /** The policy rule that matched. */
  readonly rule?: string;
  /** Taken from the rule's senders, as the message named none. */
  readonly sender?: string;
  /** As the sender wrote it, where what was sent is not the same. */
  readonly body?: string;
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
  readonly providerOptions: Partial<ProviderOptions> & OtherOptions;
  readonly providerParams: Record<string, unknown>;
  readonly routingValues: readonly unknown[] | null;
  readonly msgid: string | null;
  readonly meta: Record<string, unknown> | null;
}

/**
 * Whether the recipient's opt-out keeps a message back: `by-class` unless its
 * class is exempt, `never`, or `always`, whatever its class is.
 */
export type OptOutRule = "by-class" | "never" | "always";

/** `sent`: nothing more will be reported. `delivered`: it arrived. */
export type KnownState = "sent" | "delivered";

const DEFAULT_OPTIONS: Readonly<ProviderOptions> = Object.freeze({
  allowReply: true,
  statusReport: false,
  expires: null,
  senderId: null,
  escalate: false,
  messageClass: null,
});

/** A text to a phone, and what became of it. */
class Message<Route extends readonly unknown[]> {
  static {
    // The name that errors and `console.log` show.
    Object.defineProperty(Message, "name", { value: "OutgoingMessage" });
  }
  /** Sender, exactly as given: it may be alphanumeric. */
  src: string | null;
  /** Recipient, digits only. */
  dst: string;
  /** Once a provider has it, the text as it is sent: see `TextLimits`. */
  body: string;
  /** The demanded provider before sending, the one that sent it after. */
  provider: string | null;
  providerOptions: ProviderOptions & Record<string, unknown> = {
    ...DEFAULT_OPTIONS,
  };
  /** Raw parameters for the provider; they override what options imply. */
  providerParams: Record<string, unknown> = {};
  /** Non-null once `route` was called, even without values. */
  routingValues: Readonly<Route> | null = null;
  /**
   * The provider's id of this message; set once it was sent. Where we choose the
   * id, also while the outcome is unknown: the carrier can be asked by it.
   */
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
  // No public properties: those go to forward peers.
  #isHandedOver = false;
  #record: MessageRecord | undefined;
  #senderData: SenderData | undefined;
  #knownState: KnownState | undefined;
  /** How the provider was chosen in the last `send`. */
  choice: ProviderChoice | null = null;
  /** `OptOut.exempt` and forward servers set it; it never leaves the process. */
  optOutRule: OptOutRule = "by-class";

  #explicit: Set<string> | undefined;

  constructor(
    dst: string,
    body: string,
    src: string | null = null,
    provider: string | null = null,
  ) {
    checkContent({ dst, body, src, provider });
    this.src = src;
    this.dst = digitsOnly(dst);
    this.body = body;
    this.provider = provider;
  }

  /**
   * Merges into the provider options. `others` are keys that only some
   * provider knows. Throws `ConfigurationError` for a value of another type,
   * and for a name that is one of ours but for its spelling.
   */
  options(options: Partial<ProviderOptions>, others: OtherOptions = {}): this {
    for (const [key, value] of entriesOf("options", options)) {
      checkSpelling(key);
      if (value !== undefined) this.#setOption(key, value);
    }
    for (const [key, value] of entriesOf("options", others)) {
      if (value !== undefined) this.#setOption(key, value);
    }
    return this;
  }

  /** Replaces the provider's raw parameters. */
  params(params: Record<string, unknown>): this {
    entriesOf("params", params);
    this.providerParams = params;
    return this;
  }

  /** Asks the gateway's router, which receives these values. */
  route<const Values extends readonly unknown[]>(
    ...values: Values
  ): OutgoingMessage<Values> {
    // From here on it is a message with these values.
    const routed = this as unknown as Message<Values>;
    routed.routingValues = values;
    return routed;
  }

  /** The options that were set on purpose, or differ from the defaults. */
  explicitOptions(): Partial<ProviderOptions> & OtherOptions {
    const options: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(this.providerOptions)) {
      if (!isKnown(key) || this.#explicit?.has(key)) options[key] = value;
      else if (value !== DEFAULT_OPTIONS[key]) options[key] = value;
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
      this.body = choice.body ?? this.body;
    }
    if (choice?.sender !== undefined && this.src === choice.sender) {
      this.src = null;
    }
    this.choice = null;
    this.sentAt = null;
    this.#isHandedOver = false;
    this.clearOutcome();
    return this;
  }

  /**
   * Whether a provider was given it since the last `reset`: while this is false,
   * a send that failed or was aborted sent nothing.
   */
  get isHandedOver(): boolean {
    return this.#isHandedOver;
  }

  /** To be called before a provider gets it. */
  handOver(): void {
    this.#isHandedOver = true;
  }

  /** The provider did not get it after all, and never will in this attempt. */
  takeBack(): void {
    this.#isHandedOver = false;
  }

  /** What the application keeps of it; it never leaves the process. */
  get record(): MessageRecord | undefined {
    return this.#record;
  }

  set record(record: MessageRecord | undefined) {
    this.#record = record;
  }

  /** What is to be kept of how it was sent; set once a provider had it. */
  get senderData(): SenderData | undefined {
    return this.#senderData;
  }

  set senderData(data: SenderData | undefined) {
    this.#senderData = data;
  }

  /**
   * What providers set that know it at once. Absent: it is on its way, and what
   * is reported of it is as `statusReport` and the provider's `polling` say.
   */
  get knownState(): KnownState | undefined {
    return this.#knownState;
  }

  set knownState(state: KnownState | undefined) {
    this.#knownState = state;
  }

  /** Forgets what a provider said of it. */
  clearOutcome(): void {
    this.msgid = null;
    this.meta = null;
    this.simulated = false;
    this.#senderData = undefined;
    this.#knownState = undefined;
  }

  /** An unsent message with the same content and wishes. */
  clone(): OutgoingMessage<Route> {
    const copy = Message.fromJSON<Route>(this.toJSON());
    copy.choice = this.choice;
    copy.optOutRule = this.optOutRule;
    copy.record = this.record;
    return copy.reset();
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

  static fromJSON<Route extends readonly unknown[] = never>(
    json: OutgoingMessageJson,
  ): OutgoingMessage<Route> {
    const { dst, body, src, provider, providerOptions } = json;
    const message = new Message<Route>(dst, body, src, provider)
      .options({}, providerOptions)
      .params({ ...json.providerParams });
    // Stored with a message that had them.
    message.routingValues = json.routingValues as Readonly<Route> | null;
    message.msgid = json.msgid;
    message.meta = json.meta;
    return message;
  }

  #setOption(key: string, value: unknown): void {
    if (key === "__proto__") return;
    if (isKnown(key)) {
      const expected = EXPECTED[key];
      if (!expected.includes(value === null ? "null" : typeof value)) {
        throw new ConfigurationError(
          `The option "${key}" must be ${expected.join(" or ")}, ` +
            `got ${describeValue(value)}`,
        );
      }
      this.#explicit ??= new Set();
      this.#explicit.add(key);
    }
    const options: Record<string, unknown> = this.providerOptions;
    options[key] = value;
  }
}

/**
 * A text to a phone, and what became of it. `Route` are the values given to
 * `route`; a message without any fits every gateway.
 */
export type OutgoingMessage<
  Route extends readonly unknown[] = readonly unknown[],
> = Message<Route>;

/** Builds messages. */
export interface OutgoingMessageConstructor {
  readonly prototype: OutgoingMessage;
  /** Throws `RequestError` for a number or text that is no string. */
  new <Route extends readonly unknown[] = never>(
    dst: string,
    body: string,
    src?: string | null,
    provider?: string | null,
  ): OutgoingMessage<Route>;
  /** From what `toJSON` gave. */
  fromJSON<Route extends readonly unknown[] = never>(
    json: OutgoingMessageJson,
  ): OutgoingMessage<Route>;
}

/** A text to a phone: `new OutgoingMessage("+420 777 123 456", "Hello")`. */
export const OutgoingMessage: OutgoingMessageConstructor = Message;

/** Throws `RequestError` unless the fields are text where they must be. */
export function checkContent(
  fields: Pick<OutgoingMessage, "dst" | "body" | "src" | "provider">,
): void {
  for (const name of ["dst", "body", "src", "provider"] as const) {
    const value: unknown = fields[name];
    const mayBeAbsent = name === "src" || name === "provider";
    if (typeof value === "string") continue;
    if (mayBeAbsent && (value === null || value === undefined)) continue;
    throw new RequestError(
      `The message's ${name} must be a string, got ${describeValue(value)}`,
      { code: "INVALID_MESSAGE" },
    );
  }
}

const EXPECTED: Readonly<Record<keyof ProviderOptions, readonly string[]>> = {
  allowReply: ["boolean"],
  statusReport: ["boolean"],
  expires: ["number", "null"],
  senderId: ["string", "null"],
  escalate: ["boolean"],
  messageClass: ["string", "null"],
};

function entriesOf(method: string, value: object): [string, unknown][] {
  if (typeof value === "object" && value !== null) return Object.entries(value);
  throw new ConfigurationError(
    `${method} takes an object, got ${describeValue(value)}`,
  );
}

function checkSpelling(key: string): void {
  if (isKnown(key)) return;
  const letters = lettersOf(key);
  const meant = Object.keys(EXPECTED).find((k) => lettersOf(k) === letters);
  if (meant === undefined) return;
  throw new ConfigurationError(
    `There is no option called "${key}"; "${meant}" is meant`,
  );
}

function lettersOf(key: string): string {
  return key.replaceAll("_", "").toLowerCase();
}

function isKnown(key: string): key is keyof ProviderOptions {
  return Object.hasOwn(DEFAULT_OPTIONS, key);
}
