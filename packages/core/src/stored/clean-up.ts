/** What becomes of recipients and texts of stored messages before they are kept. */

import { CarillonError } from "../errors.ts";

/** As in its database: the longest number that pymess keeps. */
const maxRecipientCharacters = 20;

/**
 * A phone number without spaces and dashes. One of nine characters gets the
 * default code in front; one of fourteen that begins with 00 gets + in its place.
 * Nothing else is changed: whether it is a number is checked behind this.
 *
 * @param defaultPhoneCode such as `+420`; absent: none is put in front
 * @throws CarillonError ENDPOINT_INVALID when nothing, or more than 20 characters,
 * are left
 */
export function cleanPhoneNumber(
  to: unknown,
  defaultPhoneCode: string | undefined,
): string {
  if (typeof to !== "string") {
    throw invalidRecipient("text is expected");
  }
  const cleaned = expand(to.replace(/[ -]/g, ""), defaultPhoneCode);
  if (cleaned === "") {
    throw invalidRecipient("without spaces and dashes nothing is left of it");
  }
  if (cleaned.length > maxRecipientCharacters) {
    throw invalidRecipient(
      `without spaces and dashes it has ${cleaned.length} characters; ${maxRecipientCharacters} is the most`,
    );
  }
  return cleaned;
}

function expand(number: string, defaultPhoneCode: string | undefined): string {
  if (number.length === 9 && defaultPhoneCode !== undefined) {
    return defaultPhoneCode + number;
  }
  if (number.length === 14 && number.startsWith("00")) {
    return `+${number.slice(2)}`;
  }
  return number;
}

/** @param problem completes "Invalid recipient: …." */
function invalidRecipient(problem: string): CarillonError {
  return new CarillonError(
    "ENDPOINT_INVALID",
    `Invalid recipient: ${problem}.`,
  );
}

/** What can be done with characters that do not fit the cheaper alphabet. */
export const accentLevels = ["keep", "strip-ascii", "transliterate"] as const;

/**
 * `keep`: nothing. `strip-ascii`: accents are taken off, and all that is not
 * ASCII then is dropped, as pymess does. `transliterate`: something close is
 * written in GSM-7, where there is something close for all of it.
 */
export type AccentLevel = (typeof accentLevels)[number];

/** Makes a text fit; see {@link AccentLevel}. */
export type FitText = (text: string, level: AccentLevel) => string;

/** @throws CarillonError MESSAGE_OPTION_INVALID */
export function checkAccents(value: unknown): AccentLevel | undefined {
  if (value === undefined || value === null) return undefined;
  const found = accentLevels.find((level) => level === value);
  if (found !== undefined) return found;
  throw new CarillonError(
    "MESSAGE_OPTION_INVALID",
    `Invalid accents: one of ${accentLevels.join(", ")} is expected.`,
  );
}

/**
 * A text as it is sent.
 *
 * @throws CarillonError MESSAGE_INVALID when nothing is left of it
 */
export function cleanText(
  text: string,
  level: AccentLevel,
  fit: FitText,
): string {
  if (level === "keep") return text;
  const cleaned = fit(text, level);
  // Between what was dropped blanks stay; nobody is sent those alone.
  if (cleaned.trim() !== "") return cleaned;
  throw new CarillonError(
    "MESSAGE_INVALID",
    `Invalid message: with accents set to ${level} nothing is left of its text.`,
  );
}
