/** GSM-7 text to septets and back, one septet per octet (not packed). */

import { RequestError } from "../errors.ts";
import { unsupportedCharacters } from "./analyze.ts";
import {
  basicCharacter,
  ESCAPE,
  extensionCharacter,
  septetOf,
} from "./gsm7-alphabet.ts";

/** Throws `RequestError` that names the characters GSM-7 lacks. */
export function encodeGsm7(text: string): Uint8Array<ArrayBuffer> {
  const septets = new Uint8Array(2 * text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const septet = septetOf(text.charCodeAt(i));
    if (septet === undefined) throw notEncodable(text);
    if (septet >= 128) septets[length++] = ESCAPE;
    septets[length++] = septet & 0x7f;
  }
  return septets.slice(0, length);
}

/**
 * Reads septets as phones do: an escape before a value without an extension
 * character gives the basic character of that value, two escapes a space. A
 * value above 127 gives U+FFFD.
 */
export function decodeGsm7(septets: Uint8Array): string {
  let text = "";
  for (let i = 0; i < septets.length; i++) {
    const septet = septets[i] ?? 0;
    if (septet !== ESCAPE) {
      text += basicCharacter(septet);
      continue;
    }
    i += 1;
    const next = septets[i];
    if (next === undefined || next === ESCAPE) text += " ";
    else text += extensionCharacter(next) ?? basicCharacter(next);
  }
  return text;
}

function notEncodable(text: string): RequestError {
  const characters = unsupportedCharacters(text).slice(0, 10);
  return new RequestError(
    "The text cannot be sent in GSM-7; not in its alphabet: " +
      characters.map((c) => JSON.stringify(c)).join(", "),
    { code: "NOT_ENCODABLE" },
  );
}
