/** Credentials that go into a header field. */

import { InvalidOptionsError } from "../errors.ts";

/**
 * Checks that a text can be sent in a header field: `fetch` refuses others with
 * errors of its own, some of which quote them.
 *
 * @throws InvalidOptionsError that does not quote it
 */
export function checkHeaderText(text: string, option: string): string {
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  throw new InvalidOptionsError(
    `Expected ${option} to be printable ASCII characters without spaces, at least one.`,
  );
}
