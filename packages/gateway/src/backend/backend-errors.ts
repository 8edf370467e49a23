/**
 * Errors that backends throw. A backend may be a module with a copy of this package
 * of its own, or with none: it is given the classes, and errors of the same names
 * count as ours.
 */

import {
  AuthError,
  ConfigurationError,
  CreditError,
  LimitsError,
  MessageSendError,
  ProviderConnectionError,
  ProviderError,
  type ProviderErrorOptions,
  RequestError,
  ServerError,
  UnsupportedError,
} from "../errors.ts";

/** The classes that say whether a text is tried again. */
export const backendErrors = {
  AuthError,
  CreditError,
  LimitsError,
  MessageSendError,
  ProviderConnectionError,
  ProviderError,
  RequestError,
  ServerError,
  UnsupportedError,
} as const;

/** What backends in modules are given to throw. */
export type BackendErrors = typeof backendErrors;

/** An error of ours where it is one by its name; else what was thrown. */
export function toKnownError(error: unknown): unknown {
  if (error instanceof ProviderError || error instanceof ConfigurationError) {
    return error;
  }
  if (!(error instanceof Error) || !isKnownName(error.name)) return error;
  const known = backendErrors[error.name];
  return new known(error.message, { ...optionsOf(error), cause: error });
}

function isKnownName(name: string): name is keyof BackendErrors {
  return Object.hasOwn(backendErrors, name);
}

/** Those members that are of the right type. */
function optionsOf(error: Error): ProviderErrorOptions {
  // Each is looked at before it is used.
  const given = error as unknown as Readonly<Record<string, unknown>>;
  const { code, retryable, retryAfterMs, outcomeUnknown } = given;
  return {
    ...((typeof code === "string" || typeof code === "number") && { code }),
    ...(typeof retryable === "boolean" && { retryable }),
    ...(typeof retryAfterMs === "number" &&
      retryAfterMs >= 0 && { retryAfterMs }),
    ...(typeof outcomeUnknown === "boolean" && { outcomeUnknown }),
  };
}
