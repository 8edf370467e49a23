/**
 * Errors on the wire. They travel as the nearest class that every peer knows,
 * with the message as the only argument; details stay in the sender's log.
 */

import {
  AuthError,
  ConfigurationError,
  CreditError,
  LimitsError,
  MessageSendError,
  ProviderConnectionError,
  ProviderError,
  RemoteError,
  RequestError,
  ServerError,
  UnsupportedError,
} from "../../errors.ts";
import { ReceiverError } from "../../receiver.ts";

/**
 * A header of answers with an error after which the message may have gone out:
 * `unknown`. The wire's errors cannot say so, and the client would send it again.
 */
export const OUTCOME_HEADER = "carillon-forward-outcome";

// Subclasses before their parents: the first match is the nearest.
const CLASSES = [
  ["RequestError", RequestError],
  ["UnsupportedError", UnsupportedError],
  ["ServerError", ServerError],
  ["AuthError", AuthError],
  ["LimitsError", LimitsError],
  ["CreditError", CreditError],
  ["MessageSendError", MessageSendError],
  ["ConnectionError", ProviderConnectionError],
  ["ProviderError", ProviderError],
  // Ours alone: others raise it as their generic error.
  ["ConfigurationError", ConfigurationError],
] as const;

export function errorToWire(error: Error): [name: string, args: unknown[]] {
  if (error instanceof RemoteError) return [error.remoteName, [...error.args]];
  if (error instanceof ReceiverError) {
    const isAuth = error.status === 401 || error.status === 403;
    return [isAuth ? "AuthError" : "RequestError", [error.message]];
  }
  const known = CLASSES.find(([, type]) => error instanceof type);
  return [known?.[0] ?? error.name, [error.message]];
}

export function errorFromWire(
  name: string,
  args: unknown,
  outcomeUnknown = false,
): Error | undefined {
  if (!Array.isArray(args)) return undefined;
  const known = CLASSES.find(([wireName]) => wireName === name);
  if (known === undefined) return new RemoteError(name, args);
  const [, Known] = known;
  return new Known(args.map(String).join(", "), { outcomeUnknown });
}
