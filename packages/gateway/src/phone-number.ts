/**
 * Phone numbers as the gateway compares them (digits only) and as carriers
 * want them (E.164). No knowledge of national numbering plans lives here.
 */

import { describeValue } from "./describe-value.ts";
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
 * result may be empty. Throws `RequestError` for what is no string.
 */
export function digitsOnly(text: string): string {
  if (typeof text !== "string") {
    throw new RequestError(
      `A phone number must be a string, got ${describeValue(text)}`,
      { code: "INVALID_NUMBER" },
    );
  }
  if (/^[0-9]*$/.test(text)) return text;
  return text.replace(/\P{Nd}+/gu, "").replace(/[^0-9]/gu, digitValue);
}

/**
 * The digits of a number as they stand in its international form: without the
 * `00` that people dial before it. For comparing numbers: `+420…`, `00420…` and
 * `420…` are the same.
 */
export function internationalDigits(text: string): string {
  const digits = digitsOnly(text);
  // No calling code begins with 0 (ITU-T E.164 §6.1).
  return digits.startsWith("00") ? digits.slice(2) : digits;
}

/**
 * The number in E.164 form. Accepts `+…`, `00…` and bare digits, in any
 * punctuation. Throws `RequestError` when that cannot be an E.164 number.
 */
export function toE164(text: string, options: ToE164Options = {}): E164 {
  const international = text.trim().startsWith("+");
  let digits = digitsOnly(text);
  if (!international) {
    if (digits.startsWith("00")) digits = internationalDigits(digits);
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

const digitValues = new Map<string, string>();

// Every script's digits lie in one run of ten, and runs that touch are whole
// ones, so the distance to the start of the run gives the value. Kept, for the
// way to the start is long where runs touch; there are some hundred in all.
function digitValue(character: string): string {
  let value = digitValues.get(character);
  if (value === undefined) {
    const code = character.codePointAt(0) ?? 0;
    let start = code;
    while (/\p{Nd}/u.test(String.fromCodePoint(start - 1))) start -= 1;
    value = String((code - start) % 10);
    digitValues.set(character, value);
  }
  return value;
}
