/**
 * Phone numbers as the gateway compares them (digits only) and as carriers
 * want them (E.164). No knowledge of national numbering plans lives here.
 */

import { RequestError } from "./errors.ts";

/** A number that `toE164` has checked: `+`, then 7 to 15 digits. */
export type E164 = string & { readonly __brand: "E164" };

/** How numbers without a calling code are read. */
export interface ToE164Options {
  /**
   * Calling code put before national numbers, such as `"420"`. Without it the
   * digits must already start with a calling code.
   */
  readonly countryCode?: string;
}

/**
 * Keeps the decimal digits of any script, as ASCII, and drops all else:
 * `+1 (234) 567-89` becomes `123456789`. No `00` handling, no validation; the
 * result may be empty.
 */
export function digitsOnly(text: string): string {
  if (/^[0-9]*$/.test(text)) return text;
  const decimal = text.match(/\p{Nd}/gu);
  if (decimal === null) return "";
  let digits = "";
  for (const character of decimal) {
    digits +=
      character.length === 1 && character <= "9" && character >= "0"
        ? character
        : digitValue(character);
  }
  return digits;
}

/**
 * The number in E.164 form. Accepts `+…`, `00…` and bare digits, in any
 * punctuation. Throws `RequestError` when that cannot be an E.164 number.
 */
export function toE164(text: string, options: ToE164Options = {}): E164 {
  const international = text.trim().startsWith("+");
  let digits = digitsOnly(text);
  if (!international) {
    if (digits.startsWith("00")) digits = digits.slice(2);
    else if (options.countryCode !== undefined) {
      // A single leading zero is the trunk prefix in nearly every plan.
      digits = digitsOnly(options.countryCode) + digits.replace(/^0/, "");
    }
  }
  const number = `+${digits}`;
  if (isE164(number)) return number;
  throw new RequestError(
    "Expected a phone number of 7 to 15 digits with its calling code, " +
      `got ${digits.length} digits`,
    { code: "INVALID_NUMBER" },
  );
}

/** Whether a text is a number in E.164 form: a plus and 7 to 15 digits. */
export function isE164(text: string): text is E164 {
  return /^\+[1-9][0-9]{6,14}$/.test(text);
}

// Every script's digits lie in one run of ten, and runs that touch are whole
// ones, so the distance to the start of the run gives the value.
function digitValue(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  let start = code;
  while (/\p{Nd}/u.test(String.fromCodePoint(start - 1))) start -= 1;
  return String((code - start) % 10);
}
