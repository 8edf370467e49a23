/** What failures mean, in words, where the provider has none of its own. */

import type { Provider } from "./provider.ts";

const meanings: Readonly<Record<string, string>> = {
  ProviderConnectionError:
    "The carrier could not be reached, or the connection broke.",
  MessageSendError: "The carrier refused the text.",
  RequestError: "The request is wrong: the number, the sender or the text.",
  UnsupportedError: "The carrier cannot do what the text asks for.",
  ServerError: "The carrier is unavailable or failed inside.",
  AuthError: "The credentials were refused.",
  LimitsError: "A sending limit is exhausted for now.",
  CreditError: "The account is out of money.",
  ConfigurationError: "The provider is not set up right.",
  unknown:
    "No answer came, or none that says what became of the text: it may have gone out.",
  receipt: "The carrier accepted the text, and it did not arrive.",
};

/**
 * A sentence for people on a code of a carrier, or on the class of an error.
 *
 * @param errorClass the error's name, `receipt` or `unknown`
 */
export function meaningOf(
  provider: Pick<Provider, "describeCode"> | undefined,
  code: string | number | undefined,
  errorClass: string,
): string {
  const own = code === undefined ? undefined : provider?.describeCode?.(code);
  return (
    own ?? meanings[errorClass] ?? "The provider failed; the log says why."
  );
}
