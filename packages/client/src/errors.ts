/**
 * What can go wrong between a program and an SMN service: one class for each
 * situation that a caller treats differently. An abort is none of them: it
 * rejects with the signal's own reason.
 */

/** Every `code` and what it stands for. */
export const errorCodes = {
  INVALID_OPTIONS: "An option or argument cannot be used as it was given.",
  CONNECTION_FAILED: "The service was not reached, or the connection broke.",
  REQUEST_TIMED_OUT: "No answer came within the time allowed for one attempt.",
  INVALID_RESPONSE: "The answer is not what the SMN API promises.",
  REQUEST_REFUSED: "The service refused the request with a status of its own.",
  BAD_REQUEST: "Something in the request is wrong (400).",
  UNAUTHENTICATED: "The credentials are missing, wrong or expired (401).",
  FORBIDDEN: "The credentials are good but do not allow this (403).",
  RESOURCE_NOT_FOUND: "There is no such resource (404, or no search result).",
  THROTTLED: "Too many requests (429).",
  SERVER_FAILED: "The service failed or is unavailable (5xx).",
  DUPLICATE_RESOURCE: "Several resources have the name; say which is meant.",
  NO_SMN_ENDPOINT: "The token's catalogue does not say where SMN is.",
  INVALID_NOTIFICATION: "A received body is not a notification to be trusted.",
  CERTIFICATE_REFUSED: "A signing certificate's URL is not an allowed one.",
  CERTIFICATE_UNAVAILABLE: "A signing certificate could not be fetched.",
  INVALID_CERTIFICATE: "A certificate is not PEM of an RSA key.",
  INVALID_CREDENTIALS: "No account has this id and secret (404).",
  FAILED_TO_SEND_MESSAGE: "A publisher's message was not taken.",
  FAILED_TO_RECEIVE_MESSAGE: "A subscriber's messages could not be polled.",
  FAILED_TO_CONFIRM_MESSAGE: "Messages could not be confirmed.",
} as const;

/** The stable name of a kind of failure, one per class of error. */
export type SmnErrorCode = keyof typeof errorCodes;

/** Root of all errors of this package. */
export abstract class SmnError extends Error {
  static {
    SmnError.prototype.name = "SmnError";
  }
  abstract readonly code: SmnErrorCode;
}

/** An option or argument cannot be used; the program has to change. */
export class InvalidOptionsError extends SmnError {
  static {
    InvalidOptionsError.prototype.name = "InvalidOptionsError";
  }
  readonly code = "INVALID_OPTIONS";
}

/** The service was not reached, or the connection broke before the answer. */
export class ConnectionError extends SmnError {
  static {
    ConnectionError.prototype.name = "ConnectionError";
  }
  readonly code = "CONNECTION_FAILED";
  /**
   * The request may have been carried out. False only if it surely was never
   * sent; a browser does not say, so there it is always true.
   */
  readonly outcomeUnknown: boolean;

  constructor(
    message: string,
    options: ErrorOptions & { readonly outcomeUnknown: boolean },
  ) {
    super(message, options);
    this.outcomeUnknown = options.outcomeUnknown;
  }
}

/** No answer in time. The request may have been carried out. */
export class RequestTimeoutError extends SmnError {
  static {
    RequestTimeoutError.prototype.name = "RequestTimeoutError";
  }
  readonly code = "REQUEST_TIMED_OUT";
  readonly timeoutMs: number;

  constructor(message: string, timeoutMs: number, options?: ErrorOptions) {
    super(message, options);
    this.timeoutMs = timeoutMs;
  }
}

/** A 2xx answer that SMN would not give: is the endpoint an SMN service? */
export class InvalidResponseError extends SmnError {
  static {
    InvalidResponseError.prototype.name = "InvalidResponseError";
  }
  readonly code = "INVALID_RESPONSE";
}

/** Several resources have the name that was looked for. */
export class DuplicateResourceError extends SmnError {
  static {
    DuplicateResourceError.prototype.name = "DuplicateResourceError";
  }
  readonly code = "DUPLICATE_RESOURCE";
}

/** The token's catalogue has no SMN endpoint (for the region). */
export class CatalogueError extends SmnError {
  static {
    CatalogueError.prototype.name = "CatalogueError";
  }
  readonly code = "NO_SMN_ENDPOINT";
}

export interface ResponseErrorOptions extends ErrorOptions {
  readonly status: number;
  readonly smnCode?: string | undefined;
  readonly reason?: string | undefined;
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** The service answered, and the answer was no. */
export class ResponseError extends SmnError {
  static {
    ResponseError.prototype.name = "ResponseError";
  }
  readonly code: SmnErrorCode = "REQUEST_REFUSED";
  /** HTTP status. */
  readonly status: number;
  /** The service's own code, such as `SMN.0006` or `APIGW.0301`. */
  readonly smnCode: string | undefined;
  /** The service's own message, if it gave one. */
  readonly reason: string | undefined;
  /** What the operator of the service asks for. */
  readonly requestId: string | undefined;
  /** How long the service asks to wait. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: ResponseErrorOptions) {
    super(message, options);
    this.status = options.status;
    this.smnCode = options.smnCode;
    this.reason = options.reason;
    this.requestId = options.requestId;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** 400: something in the request is wrong; `smnCode` says what. */
export class BadRequestError extends ResponseError {
  static {
    BadRequestError.prototype.name = "BadRequestError";
  }
  override readonly code = "BAD_REQUEST";
}

/** 401, also after a fresh token was tried. */
export class AuthenticationError extends ResponseError {
  static {
    AuthenticationError.prototype.name = "AuthenticationError";
  }
  override readonly code = "UNAUTHENTICATED";
}

/** 403: not allowed, over a quota, or content over its limits. */
export class ForbiddenError extends ResponseError {
  static {
    ForbiddenError.prototype.name = "ForbiddenError";
  }
  override readonly code = "FORBIDDEN";
}

/** 404, or a search by name that found nothing (then without `requestId`). */
export class ResourceNotFoundError extends ResponseError {
  static {
    ResourceNotFoundError.prototype.name = "ResourceNotFoundError";
  }
  override readonly code = "RESOURCE_NOT_FOUND";
}

/** 429, also after the retries. */
export class ThrottledError extends ResponseError {
  static {
    ThrottledError.prototype.name = "ThrottledError";
  }
  override readonly code = "THROTTLED";
}

/** 5xx, also after the retries. */
export class ServerError extends ResponseError {
  static {
    ServerError.prototype.name = "ServerError";
  }
  override readonly code = "SERVER_FAILED";
}

/** Why a notification was not accepted as genuine. */
export type NotificationFault =
  /** No JSON object with the fields of a notification. */
  | "malformed"
  /** Signed in a way this package does not know. */
  | "unknown-version"
  /** About a topic the receiver did not list. */
  | "unexpected-topic"
  /** Signed too long ago, or in the future. */
  | "bad-time"
  /** Not signed by the key that is expected, or changed since. */
  | "bad-signature";

/** A received body is not a notification to be trusted; answer it with 403. */
export class NotificationError extends SmnError {
  static {
    NotificationError.prototype.name = "NotificationError";
  }
  readonly code = "INVALID_NOTIFICATION";
  readonly fault: NotificationFault;

  constructor(
    message: string,
    fault: NotificationFault,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.fault = fault;
  }
}

/** `signing_cert_url` is not on the receiver's list; nothing was fetched. */
export class CertificateRefusedError extends SmnError {
  static {
    CertificateRefusedError.prototype.name = "CertificateRefusedError";
  }
  readonly code = "CERTIFICATE_REFUSED";
}

/** The certificate could not be fetched now; answer the sender with 503. */
export class CertificateUnavailableError extends SmnError {
  static {
    CertificateUnavailableError.prototype.name = "CertificateUnavailableError";
  }
  readonly code = "CERTIFICATE_UNAVAILABLE";
}

/** What should be a certificate is none, or not one with an RSA key. */
export class InvalidCertificateError extends SmnError {
  static {
    InvalidCertificateError.prototype.name = "InvalidCertificateError";
  }
  readonly code = "INVALID_CERTIFICATE";
}

export interface AccountErrorOptions extends ErrorOptions {
  readonly status?: number | undefined;
  readonly text?: string | undefined;
}

/**
 * What `Publisher` and `Subscriber` reject with over the Notipy protocol, whose
 * answers say by their status alone what is wrong.
 */
export abstract class AccountError extends SmnError {
  static {
    AccountError.prototype.name = "AccountError";
  }
  /** HTTP status; absent when no answer came: `cause` says why. */
  readonly status: number | undefined;
  /** The answer as it came; empty when there was none. */
  readonly text: string;

  constructor(message: string, { status, text, cause }: AccountErrorOptions) {
    super(message, { cause });
    this.status = status;
    this.text = text ?? "";
  }
}

/** No account has this id and secret, or it is one of the other kind. */
export class InvalidCredentialsError extends AccountError {
  static {
    InvalidCredentialsError.prototype.name = "InvalidCredentialsError";
  }
  readonly code = "INVALID_CREDENTIALS";
}

/** The message was not taken; without a status it may have been. */
export class FailedToSendMessageError extends AccountError {
  static {
    FailedToSendMessageError.prototype.name = "FailedToSendMessageError";
  }
  readonly code = "FAILED_TO_SEND_MESSAGE";
}

/** No messages came; those of a lost answer come again. */
export class FailedToReceiveMessageError extends AccountError {
  static {
    FailedToReceiveMessageError.prototype.name = "FailedToReceiveMessageError";
  }
  readonly code = "FAILED_TO_RECEIVE_MESSAGE";
}

/** The messages may come again; confirming them again does no harm. */
export class FailedToConfirmMessageError extends AccountError {
  static {
    FailedToConfirmMessageError.prototype.name = "FailedToConfirmMessageError";
  }
  readonly code = "FAILED_TO_CONFIRM_MESSAGE";
}
