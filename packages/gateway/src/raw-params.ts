/**
 * The raw parameters of a text that a provider puts into its request: all but
 * those that are not the publisher's to give. Opt-outs, limits and guards were
 * asked about the message's own recipient and text, and whose account pays and
 * where the carrier reports is configured.
 */

import type { OutgoingMessage } from "./outgoing-message.ts";

/** A name and whatever JSON has for it. */
export type RawParam = readonly [name: string, value: unknown];

/**
 * @param fixed names that no text may give, compared without case and without
 *   what stands between words; one that ends in `*` stands for all that begin so
 */
export function rawParams(
  { providerParams }: Pick<OutgoingMessage, "providerParams">,
  fixed: readonly string[],
): readonly RawParam[] {
  const given = Object.entries(providerParams);
  if (given.length === 0) return given;
  const names = new Set(fixed.map(lettersOf));
  const beginnings = fixed.filter((it) => it.endsWith("*")).map(lettersOf);
  return given.filter(([name]) => {
    const letters = lettersOf(name);
    return (
      !names.has(letters) && !beginnings.some((it) => letters.startsWith(it))
    );
  });
}

/** In small letters; `To[]` and `to[0]` are lists of `to` for many carriers. */
function lettersOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/\[.*/s, "")
    .replace(/[^a-z0-9]/g, "");
}
