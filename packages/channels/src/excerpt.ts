/** Foreign text made fit for the ledger, logs and mail headers: one line. */

/**
 * At most `max` characters on one line, without control and formatting
 * characters. What another machine sent is data and must not steer a terminal.
 */
export function excerpt(text: string, max = 200): string {
  const line = oneLine(text);
  if (line.length <= max) return line;
  // A pair of surrogates is one character and is not cut in two.
  return [...line.slice(0, 2 * max)].slice(0, max).join("");
}

/** The text with line breaks and other control characters as single spaces. */
export function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
}
