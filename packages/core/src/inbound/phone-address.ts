/**
 * How a phone number or sender name is written wherever people and programs
 * see it, so that the same one always looks the same and can be searched for.
 */

/** Longer sender names are cut off. */
const maxNameLength = 64;

/**
 * International numbers get their plus (`+4915112345678`), other numbers are
 * bare digits (short codes, national forms), names stay as they are.
 */
export function toPhoneAddress(text: string): string {
  if (/\p{L}/u.test(text)) {
    // A name comes from outside; in a subject a line break would do harm.
    const name = text.toWellFormed().replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
    return [...name.trim()].slice(0, maxNameLength).join("");
  }
  const digits = text.replace(/[^0-9]/g, "");
  // E.164: up to 15 digits, and no country code begins with 0. Short codes
  // have up to 6 digits, the shortest international numbers 7.
  return /^[1-9][0-9]{6,14}$/.test(digits) ? `+${digits}` : digits;
}
