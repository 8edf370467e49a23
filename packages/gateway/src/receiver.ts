/**
 * Routes for what carriers call us with, independent of any web framework. A
 * provider lists its routes; adapters translate requests and responses.
 */

/** A carrier's request, free of any web framework. */
export interface ReceiverRequest {
  readonly method: string;
  /** As the carrier sees it, where known: signatures may cover it. */
  readonly url: string;
  /**
   * What is left of the path below the place where a framework mounted the
   * handler; by default that of `url`. The receiver is found by it.
   */
  readonly path?: string;
  /** Lower-case names; repeated headers joined by a comma. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly query: URLSearchParams;
  readonly rawBody: Uint8Array;
  /** The adapter stopped reading; `rawBody` is empty. Answered with 413. */
  readonly bodyTooLarge?: boolean;
  readonly remoteAddress?: string | undefined;
}

/** What a carrier is answered. */
export interface ReceiverResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /**
   * What failed though the status says nothing of it, where a carrier wants its
   * answers so. It is told to whoever is told of failures, not to the carrier.
   */
  readonly error?: unknown;
}

/** One path of a provider, and who handles its requests. */
export interface ReceiverRoute {
  readonly methods: readonly string[];
  /** Below the provider's mount point: `/im`, `/status`. */
  readonly path: string;
  handle(request: ReceiverRequest): Promise<ReceiverResponse>;
}

/** The routes that a provider's carrier calls. */
export interface Receiver {
  readonly routes: readonly ReceiverRoute[];
  /**
   * How this carrier wants errors to look. Plain text by default. The status
   * is decided already and must be kept.
   */
  renderError?(error: unknown, status: number): ReceiverResponse;
}

/** A request that the receiver turns down, with the HTTP status to answer. */
export class ReceiverError extends Error {
  static {
    ReceiverError.prototype.name = "ReceiverError";
  }
  readonly code: string = "RECEIVER_ERROR";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    options: ErrorOptions & {
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(message, options);
    this.status = status;
    this.headers = options.headers ?? {};
  }
}

/** 400: a field is missing or unreadable. Retrying cannot help. */
export class MalformedRequestError extends ReceiverError {
  static {
    MalformedRequestError.prototype.name = "MalformedRequestError";
  }
  override readonly code: string = "MALFORMED_REQUEST";

  constructor(message: string, options: ErrorOptions = {}) {
    super(400, message, options);
  }
}

/** 401: credentials are missing or wrong. */
export class UnauthorizedRequestError extends ReceiverError {
  static {
    UnauthorizedRequestError.prototype.name = "UnauthorizedRequestError";
  }
  override readonly code: string = "UNAUTHORIZED_REQUEST";

  constructor(message: string, options: ErrorOptions = {}) {
    super(401, message, {
      ...options,
      headers: { "www-authenticate": 'Basic realm="gateway"' },
    });
  }
}

/** 403: a wrong signature, or an address that may not call. */
export class ForbiddenRequestError extends ReceiverError {
  static {
    ForbiddenRequestError.prototype.name = "ForbiddenRequestError";
  }
  override readonly code: string = "FORBIDDEN_REQUEST";

  constructor(message: string, options: ErrorOptions = {}) {
    super(403, message, options);
  }
}

/** An answer in plain text, the form most carriers expect. */
export function textResponse(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): ReceiverResponse {
  return {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", ...headers },
    body,
  };
}
