/**
 * Makes text fit into GSM-7 by writing something close for what it lacks. What
 * the alphabet has stays as it is, so é, ß and Ω survive.
 */

import { RequestError } from "../errors.ts";
import { isGsm7 } from "./gsm7-alphabet.ts";
import { latinOfCyrillic, replacementOf } from "./transliteration-map.ts";

/** What becomes of characters that GSM-7 has nothing close to. */
export interface TransliterateOptions {
  /**
   * What happens to text with a character nothing can be written for. `keep`
   * (default) gives the whole text back unchanged, for it must be UCS-2
   * anyway; `replace` writes `replacement`; `fail` throws `RequestError`.
   */
  readonly unmappable?: "keep" | "replace" | "fail";
  /** Default `?`. */
  readonly replacement?: string;
  /** Default `remove`. */
  readonly emoji?: "remove" | "replace";
  /** Spell Cyrillic in Latin letters. Default false. */
  readonly cyrillic?: boolean;
  /** Write ç as the Ç that the alphabet has, not as c. Default false. */
  readonly cedilla?: boolean;
}

/** How far to go to make a text fit. */
export type FitLevel = "keep" | "strip-ascii" | "transliterate";

/** One of the three levels of making a text fit. */
export function fitText(
  text: string,
  level: FitLevel,
  options: TransliterateOptions = {},
): string {
  switch (level) {
    case "keep":
      return text;
    case "strip-ascii":
      return stripToAscii(text);
    case "transliterate":
      return transliterate(text, options);
    default: {
      const never: never = level;
      throw new RequestError(`Unknown level ${String(never)}`);
    }
  }
}

/**
 * Takes accents off and then drops everything that is not ASCII, with all the
 * losses of that: ß, ł, €, curly quotes and every other script vanish.
 */
export function stripToAscii(text: string): string {
  return text.normalize("NFKD").replace(/[^\0-\x7f]/gu, "");
}

/**
 * Writes a text in characters of GSM-7, as closely as it can.
 *
 * @throws RequestError for such a character, when `unmappable` is `fail`
 */
export function transliterate(
  text: string,
  options: TransliterateOptions = {},
): string {
  const { unmappable = "keep", replacement = "?" } = options;
  let result = "";
  const composed = text.normalize("NFC");
  for (const character of composed) {
    const written = writeCharacter(character, options, replacement);
    if (written !== undefined) {
      result += written;
    } else if (unmappable === "replace") {
      result += replacement;
    } else if (unmappable === "keep") {
      return text;
    } else {
      throw new RequestError(
        `Nothing in GSM-7 can be written for ${JSON.stringify(character)}`,
        { code: "NOT_ENCODABLE" },
      );
    }
  }
  return result;
}

const INVISIBLE = /^[\p{Default_Ignorable_Code_Point}\p{Cf}]$/u;
const EMOJI =
  /^[\p{Extended_Pictographic}\p{Emoji_Modifier}\p{Regional_Indicator}]$/u;

function writeCharacter(
  character: string,
  options: TransliterateOptions,
  replacement: string,
): string | undefined {
  if (isGsm7(character)) return character;
  if (INVISIBLE.test(character)) return "";
  if (options.cedilla && character === "ç") return "Ç";
  const direct = writeFromTables(character, options);
  if (direct !== undefined) return direct;
  if (/^\p{Cc}$/u.test(character)) return "";
  if (EMOJI.test(character)) {
    return options.emoji === "replace" ? replacement : "";
  }

  let result = "";
  for (const piece of character.normalize("NFKD")) {
    if (/^\p{M}$/u.test(piece)) continue;
    const written = isGsm7(piece) ? piece : writeFromTables(piece, options);
    if (written === undefined) return undefined;
    result += written;
  }
  return result;
}

function writeFromTables(
  character: string,
  options: TransliterateOptions,
): string | undefined {
  return (
    replacementOf(character) ??
    (options.cyrillic ? latinOfCyrillic(character) : undefined)
  );
}
