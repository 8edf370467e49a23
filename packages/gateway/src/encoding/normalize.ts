/** Brings text into the form that is counted and sent. */

/** What is changed in a text before it is counted and sent. */
export interface NormalizeOptions {
  /** Default `nfc`: a letter and its accent become one character. */
  readonly normalize?: "nfc" | "none";
  /** `lf` turns CRLF and lone CR into LF. Default `keep`. */
  readonly newlines?: "keep" | "lf";
}

/**
 * Applies the options and drops escape characters (U+001B), which would be
 * read as the beginning of another character.
 */
export function normalizeText(
  text: string,
  options: NormalizeOptions = {},
): string {
  let result = text.replaceAll("\u001b", "");
  if (options.newlines === "lf") result = result.replace(/\r\n?/g, "\n");
  return options.normalize === "none" ? result : result.normalize("NFC");
}
