/**
 * What can be wrong with a request before core sees it. Core knows no HTTP;
 * these codes stand beside core's in the tables of each API.
 */

export const requestErrorCatalogue = {
  AUTHENTICATION_FAILED: "Credentials are missing, wrong or expired",
  LOGIN_THROTTLED: "Too many log-ins, or too many wrong ones; try again later",
  PERMISSION_DENIED:
    "These credentials do not reach this project, or their role may not do this",
  ROUTE_NOT_FOUND: "There is no such route",
  BODY_MALFORMED: "The request body is not JSON in UTF-8",
  BODY_TOO_LARGE: "The request body is larger than the route takes",
  BODY_TOO_COMPLEX:
    "The request body has too many values or members, or is nested too deeply",
  BODY_FRAGMENTED:
    "The request body comes in too many chunks for its length: send larger ones, or a Content-Length",
  REQUEST_INVALID: "The request cannot be understood",
  HEADERS_TOO_LARGE: "The request line and header fields are too large",
  REQUEST_TIMED_OUT: "The request did not come whole in time",
  EXPECTATION_UNKNOWN:
    "The header field Expect has another value than 100-continue",
  STATUS_FILTER_INVALID: "The status to filter by is none of 0 to 4",
  IDENTITY_INVALID: "The user, project, domain or access key cannot be so",
  IDENTITY_NOT_FOUND: "There is no such user, project, domain or access key",
  IDENTITY_IN_USE: "The project or domain is not empty",
  LAST_OPERATOR:
    "The last operator is needed; `carillon recover` helps where it is lost",
  LAST_OPERATOR_KEY:
    "The last access key of an operator is needed; `carillon recover` makes one where it is lost",
  PROVIDER_NOT_FOUND: "There is no such SMS provider",
  PROVIDER_PAUSED: "The SMS provider is paused; resume it first",
  CONFIGURATION_INVALID: "The configuration has mistakes; nothing was changed",
  ATTACHMENT_NOT_FOUND: "The message has no such attachment",
  NOT_OFFERED: "The operation is known and not offered here",
} as const satisfies Record<string, string>;

export type RequestErrorCode = keyof typeof requestErrorCatalogue;

/** A request that goes no further, identified by its stable `code`. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code: RequestErrorCode;
  /** When trying again makes sense; absent: the status says it. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: RequestErrorCode,
    message?: string,
    options?: ErrorOptions & { readonly retryAfterSeconds?: number },
  ) {
    super(message ?? requestErrorCatalogue[code], options);
    this.code = code;
    this.retryAfterSeconds = options?.retryAfterSeconds;
  }
}
