/** The codes that carriers answer and report, read from JSON, forms and XML. */

/** As the carrier has it. */
export type CarrierCode = number | string;

/**
 * Of a carrier whose codes are numbers: a number, in forms one of up to 6 digits;
 * `undefined` for anything else.
 */
export function numericCode(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && /^\d{1,6}$/.test(value)
    ? Number(value)
    : undefined;
}

/** Up to 9 digits as a number, other words as they are, without blanks around. */
export function codeOfText(text: string): CarrierCode {
  const code = text.trim();
  return /^\d{1,9}$/.test(code) ? Number(code) : code;
}
