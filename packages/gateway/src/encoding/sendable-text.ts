/**
 * Which characters a text message may hold. The gateway looks before it gives
 * a text to a provider; whoever keeps texts to be sent later can look before.
 */

import { RequestError } from "../errors.ts";

/**
 * What is wrong with the characters of a text, with the first one's place, as
 * the end of a sentence; undefined when it can be sent. No text are U+0000 and
 * the other control characters but line feed, carriage return, form feed (the
 * page break of 3GPP TS 23.038 §6.2.1.1) and tab; half a surrogate pair; and
 * the two overrides of writing direction, with which a text shows something
 * else than it holds (Unicode TR 36 §3.2).
 */
export function problemWithText(text: string): string | undefined {
  const found = UNSENDABLE.exec(text);
  if (found === null) return undefined;
  const code = found[0].charCodeAt(0);
  const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  return `${kindOf(code)} (${name}) at position ${found.index + 1}`;
}

/** Throws `RequestError` for a text with a character that is not sendable. */
export function checkText(text: string): void {
  const problem = problemWithText(text);
  if (problem === undefined) return;
  throw new RequestError(`The text holds ${problem}`, { code: "INVALID_TEXT" });
}

// Under the flag `u` half a surrogate pair is one without its other half.
const UNSENDABLE = /(?![\n\r\f\t])[\p{Cc}\p{Cs}\u202d\u202e]/u;

function kindOf(code: number): string {
  if (code >= 0xd800) return "half a surrogate pair";
  if (code >= 0x2000) return "an override of the writing direction";
  return "a control character";
}
