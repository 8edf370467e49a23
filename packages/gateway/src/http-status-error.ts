/**
 * Which error an HTTP status means when the carrier gave no better code. Every
 * provider that speaks HTTP falls back to this one table.
 */

import {
  AuthError,
  CreditError,
  LimitsError,
  MessageSendError,
  type ProviderErrorOptions,
  RequestError,
  ServerError,
  UnsupportedError,
} from "./errors.ts";

/**
 * The error for an HTTP status of a carrier; whether to repeat is in it. A 502 or
 * 504 without a code of the carrier's own comes from a gateway in front of it,
 * which may have handed on the request: it leaves the outcome unknown.
 */
export function errorFromHttpStatus(
  status: number,
  message: string,
  options: ProviderErrorOptions = {},
): MessageSendError {
  const details = { code: status, ...options };
  switch (status) {
    case 400:
    case 404:
    case 405:
    case 413:
    case 415:
    case 422:
      return new RequestError(message, details);
    case 401:
    case 403:
    case 407:
      return new AuthError(message, details);
    case 402:
      return new CreditError(message, details);
    case 408:
    case 429:
      return new LimitsError(message, details);
    case 501:
      return new UnsupportedError(message, details);
    case 502:
    case 504:
      return new ServerError(message, {
        outcomeUnknown: options.code === undefined,
        ...details,
      });
    default:
      return status >= 500
        ? new ServerError(message, details)
        : new MessageSendError(message, details);
  }
}
