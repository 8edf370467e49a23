/**
 * Writes forms in the charsets that carriers use: `URLSearchParams` knows UTF-8
 * only. Source: URL Standard, §5. `form-reading.ts` reads them.
 */

/** Charsets that a form can be written in. */
export type FormCharset = "utf-8" | "iso-8859-1";

/** Whether a text can be written in a charset. */
export function fitsCharset(text: string, charset: FormCharset): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of Latin-1
  return charset === "utf-8" || /^[\u0000-\u00ff]*$/.test(text);
}

/** A form, its fields in their order. What the charset lacks becomes `?`. */
export function encodeForm(
  fields: Iterable<readonly [string, string]>,
  charset: FormCharset = "utf-8",
): string {
  if (charset === "utf-8") {
    const all = new URLSearchParams();
    for (const [name, value] of fields) all.append(name, value);
    return all.toString();
  }
  return Array.from(fields, (pair) => pair.map(encodeLatin).join("=")).join(
    "&",
  );
}

function encodeLatin(text: string): string {
  return text.replace(/[^A-Za-z0-9*\-._]/gu, (character) => {
    if (character === " ") return "+";
    const code = character.codePointAt(0) ?? 0;
    return code > 0xff ? "%3F" : toEscape(code);
  });
}

function toEscape(octet: number): string {
  return `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
}
