/**
 * Forms in the charsets that carriers use: `URLSearchParams` knows UTF-8 only.
 * Source: URL Standard, §5.
 */

import { decodeText } from "./charset.ts";

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

/** A form or a query; broken escapes stand for themselves. Never throws. */
export function parseForm(text: string, charset?: string): URLSearchParams {
  const fields = new URLSearchParams();
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = at < 0 ? pair : pair.slice(0, at);
    const value = at < 0 ? "" : pair.slice(at + 1);
    fields.append(decodeField(name, charset), decodeField(value, charset));
  }
  return fields;
}

/** The query of a URL, without its question mark; empty when it has none. */
export function queryOf(url: string): string {
  return /\?([^#]*)/.exec(url)?.[1] ?? "";
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

function decodeField(field: string, charset?: string): string {
  return decodeText(octetsOf(field), charset);
}

/** The octets that a field of a form stands for. */
export function octetsOf(field: string): Uint8Array {
  const octets = new TextEncoder().encode(field.replaceAll("+", " "));
  const decoded = new Uint8Array(octets.length);
  let length = 0;
  for (let at = 0; at < octets.length; at++) {
    const escaped = octets[at] === 0x25 ? hexAt(octets, at + 1) : undefined;
    decoded[length++] = escaped ?? octets[at] ?? 0;
    if (escaped !== undefined) at += 2;
  }
  return decoded.subarray(0, length);
}

function hexAt(octets: Uint8Array, at: number): number | undefined {
  const digits = String.fromCharCode(octets[at] ?? 0, octets[at + 1] ?? 0);
  return /^[0-9a-f]{2}$/i.test(digits)
    ? Number.parseInt(digits, 16)
    : undefined;
}
