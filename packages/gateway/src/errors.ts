/**
 * What can go wrong in the gateway. Everything below `ProviderError` is about
 * one attempt to send and says whether a second one makes sense; the classes
 * apart from it are mistakes in the set-up or errors of a remote peer.
 */

/** What a provider knows of a failure besides its message. */
export interface ProviderErrorOptions {
  /** Name of the provider; the gateway fills it in when it is missing. */
  readonly provider?: string;
  /** The carrier's own code, untouched. */
  readonly code?: string | number;
  /** Overrides the default of the class. */
  readonly retryable?: boolean;
  /** Earliest sensible moment of the next attempt, from now. */
  readonly retryAfterMs?: number;
  /** True when the message may have gone out in spite of the error. */
  readonly outcomeUnknown?: boolean;
  /** See {@link ProviderError.refused}. */
  readonly refused?: RefusedPart;
  readonly cause?: unknown;
}

/** What a carrier said no to: one text of a request, or all of it. */
export type RefusedPart = "message" | "request";

/** Root of all errors that come from sending through a provider. */
export class ProviderError extends Error {
  static {
    ProviderError.prototype.name = "ProviderError";
  }
  static readonly retryableByDefault: boolean = false;

  provider: string | undefined;
  /** The gateway takes secrets out of it. */
  code: string | number | undefined;
  /** Whether the same request may succeed later without any change. */
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  /**
   * The request may have reached the carrier: repeating it can send the text
   * twice and cost twice.
   */
  readonly outcomeUnknown: boolean;
  /**
   * Of carriers that answer a state for each text: whether they refused this very
   * text, or the request that it was in. `undefined`: neither is known.
   */
  refused: RefusedPart | undefined;

  constructor(message = "", options: ProviderErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.provider = options.provider;
    this.code = options.code;
    this.retryable = options.retryable ?? new.target.retryableByDefault;
    this.retryAfterMs = options.retryAfterMs;
    this.outcomeUnknown = options.outcomeUnknown ?? false;
    this.refused = options.refused;
  }
}

/** The carrier could not be reached, or the connection broke. */
export class ProviderConnectionError extends ProviderError {
  static {
    ProviderConnectionError.prototype.name = "ProviderConnectionError";
  }
  static override readonly retryableByDefault: boolean = true;
}

/** The carrier answered, and the answer was no. */
export class MessageSendError extends ProviderError {
  static {
    MessageSendError.prototype.name = "MessageSendError";
  }
}

/** The request itself is wrong; sending it again cannot help. */
export class RequestError extends MessageSendError {
  static {
    RequestError.prototype.name = "RequestError";
  }
}

/** The provider cannot do what the message asks for. */
export class UnsupportedError extends MessageSendError {
  static {
    UnsupportedError.prototype.name = "UnsupportedError";
  }
}

/** The carrier is unavailable or failed inside. */
export class ServerError extends MessageSendError {
  static {
    ServerError.prototype.name = "ServerError";
  }
  static override readonly retryableByDefault: boolean = true;
}

/** The credentials were refused. */
export class AuthError extends MessageSendError {
  static {
    AuthError.prototype.name = "AuthError";
  }
}

/** A sending limit is exhausted for now. */
export class LimitsError extends MessageSendError {
  static {
    LimitsError.prototype.name = "LimitsError";
  }
  static override readonly retryableByDefault: boolean = true;
}

/** The account is out of money: a person must act. */
export class CreditError extends MessageSendError {
  static {
    CreditError.prototype.name = "CreditError";
  }
}

/** A class of errors that a carrier's code stands for. */
export type SendErrorClass = new (
  message?: string,
  options?: ProviderErrorOptions,
) => MessageSendError;

/** Somebody paused the provider; nothing was sent. */
export class ProviderPausedError extends ProviderError {
  static {
    ProviderPausedError.prototype.name = "ProviderPausedError";
  }
  static override readonly retryableByDefault: boolean = true;
}

/** A mistake in how the gateway was put together. Never a carrier's doing. */
export class ConfigurationError extends Error {
  static {
    ConfigurationError.prototype.name = "ConfigurationError";
  }
  readonly code: string = "CONFIGURATION";
}

/** A provider name that nobody registered. */
export class UnknownProviderError extends ConfigurationError {
  static {
    UnknownProviderError.prototype.name = "UnknownProviderError";
  }
  override readonly code: string = "UNKNOWN_PROVIDER";
  readonly providerName: string;

  constructor(providerName: string, known: Iterable<string>, asked: string) {
    const names = [...known].join(", ") || "none";
    super(
      `No provider is called "${providerName}" (${asked}); ` +
        `registered: ${names}`,
    );
    this.providerName = providerName;
  }
}

/** A forward peer reported an error of a class this side does not know. */
export class RemoteError extends Error {
  static {
    RemoteError.prototype.name = "RemoteError";
  }
  readonly code: string = "REMOTE_ERROR";
  readonly remoteName: string;
  readonly args: readonly unknown[];

  constructor(remoteName: string, args: readonly unknown[]) {
    super(typeof args[0] === "string" ? args[0] : remoteName);
    this.remoteName = remoteName;
    this.args = args;
  }
}
