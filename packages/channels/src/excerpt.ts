/** Foreign text made fit for the ledger, logs and mail headers: one line. */

/**
 * At most `max` characters on one line, without control and formatting
 * characters but the joiners that words are spelt with. What another machine
 * sent is data and must not steer a terminal.
 */
export function excerpt(text: string, max = 200): string {
  const line = text
    .toWellFormed()
    .replace(/(?:[\p{Cc}\p{Zl}\p{Zp}\s]|(?!\u200c|\u200d)\p{Cf})+/gu, " ")
    .trim();
  if (line.length <= max) return line;
  // A pair of surrogates is one character and is not cut in two.
  return [...line.slice(0, 2 * max)].slice(0, max).join("");
}

/**
 * The text with line breaks and other control characters as single spaces, and
 * otherwise as it was written: joiners, marks of direction and soft hyphens
 * belong to the spelling of Persian, Hindi, Arabic, Hebrew and emoji.
 */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/ *[\p{Cc}\p{Zl}\p{Zp}][\p{Cc}\p{Zl}\p{Zp} ]*/gu, " ")
    .trim();
}
