/** Measures of text that limits are written in, and what stores can keep. */

import { CarillonError, type ErrorCode } from "./errors.ts";

/** Length in bytes of the UTF-8 form. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (isLeadOfPair(text, i)) {
      // Four bytes for two units.
      bytes += 2;
      i++;
    } else bytes += 2;
  }
  return bytes;
}

/**
 * Whether the UTF-8 form takes at most `max` bytes; looks at the characters
 * only when the number of units does not decide it.
 */
export function fitsUtf8(text: string, max: number): boolean {
  if (text.length > max) return false;
  if (text.length * 3 <= max) return true;
  return utf8Length(text) <= max;
}

/**
 * Whether every store keeps the text: PostgreSQL's `text` has no U+0000, and a
 * column that another store can hold and that one cannot is lost in a move.
 */
export function isStorable(text: string): boolean {
  return !text.includes("\0");
}

/**
 * Whether a text can stand in a header: one line of whole characters, without
 * control characters and separators of lines or paragraphs.
 */
export function isOneLine(text: string): boolean {
  return text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text);
}

/**
 * The text as given, once it is known to be storable.
 *
 * @param what completes "… may not contain the character U+0000."
 * @throws CarillonError the given code
 */
export function checkStorable(
  text: string,
  code: ErrorCode,
  what: string,
): string {
  if (isStorable(text)) return text;
  throw new CarillonError(
    code,
    `Invalid ${what}: it may not contain the character U+0000.`,
  );
}

/**
 * The text with U+FFFD in place of what no store keeps and what is no
 * character: for texts whose senders cannot be asked to correct them.
 */
export function toStorable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

function isLeadOfPair(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  const next = text.charCodeAt(at + 1);
  return unit >= 0xd800 && unit < 0xdc00 && next >= 0xdc00 && next < 0xe000;
}
