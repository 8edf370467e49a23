/** Kinds of failed attempts, as settings name those that are repeated. */

/** Named as the gateway's classes of errors are. */
export const sendErrorNames = [
  "ConnectionError",
  "ServerError",
  "LimitsError",
  "AuthError",
  "CreditError",
  "RequestError",
  "UnsupportedError",
] as const;

/**
 * `ConnectionError`: it was not reached, or the connection broke. `ServerError`: it
 * failed inside. `LimitsError`: a limit is exhausted for now. `AuthError`: the
 * credentials were refused. `CreditError`: the account is out of money.
 * `RequestError`: it said no. `UnsupportedError`: it cannot do what was asked.
 */
export type SendErrorName = (typeof sendErrorNames)[number];

/** Those after which the same may succeed without any change. */
export const transientErrors = [
  "ConnectionError",
  "ServerError",
  "LimitsError",
] as const satisfies readonly SendErrorName[];
