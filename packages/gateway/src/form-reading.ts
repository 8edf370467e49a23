/**
 * Forms and queries that carriers call with, in their charsets: `URLSearchParams`
 * knows UTF-8 only. Source: URL Standard, §5. `form-encoding.ts` writes them.
 */

import { decodeText, isKnownCharset } from "./charset.ts";
import { MalformedRequestError } from "./receiver.ts";

/** Carriers call with fewer than a hundred. */
const maxFields = 200;

/**
 * The fields of a body, or of a query without its `?`; broken escapes stand for
 * themselves.
 *
 * @param charset of what the escapes stand for; default UTF-8
 * @throws MalformedRequestError for more than 200 fields
 */
export function parseForm(encoded: string, charset?: string): URLSearchParams {
  const fields = new URLSearchParams();
  for (const [name, value] of pairsOf(encoded)) {
    fields.append(decodeField(name, charset), decodeField(value, charset));
  }
  return fields;
}

/**
 * Escaped values by their names; of several the first. For forms in which one
 * field says in which charset another is.
 */
export type RawForm = ReadonlyMap<string, string>;

/**
 * The same as `parseForm`, with its values still escaped.
 *
 * @throws MalformedRequestError for more than 200 fields
 */
export function readRawForm(encoded: string): RawForm {
  const form = new Map<string, string>();
  for (const [escapedName, value] of pairsOf(encoded)) {
    const name = decodeField(escapedName);
    if (!form.has(name)) form.set(name, value);
  }
  return form;
}

/** The value of a field; `undefined` where it is not there. */
export function fieldOf(
  form: RawForm,
  name: string,
  charset?: string,
): string | undefined {
  const value = form.get(name);
  return value === undefined ? undefined : decodeField(value, charset);
}

/** The query of a URL, without its question mark; empty when it has none. */
export function queryOf(url: string): string {
  return /\?([^#]*)/.exec(url)?.[1] ?? "";
}

function pairsOf(encoded: string): readonly [name: string, value: string][] {
  const pairs = encoded.split("&", maxFields + 1);
  if (pairs.length > maxFields) {
    throw new MalformedRequestError(`More than ${maxFields} fields`);
  }
  return pairs
    .filter((pair) => pair !== "")
    .map((pair) => {
      const at = pair.indexOf("=");
      return at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
    });
}

function decodeField(escaped: string, charset = "utf-8"): string {
  // Most are, and mean the same in every charset that carriers use.
  if (plain.test(escaped)) return escaped;
  const octets = unescapeField(escaped);
  // In UTF-8 U+FEFF is a character of the text, which a signature may cover.
  return isKnownCharset(charset) && !/^utf-?8$/i.test(charset)
    ? decodeText(octets, charset)
    : new TextDecoder("utf-8", { ignoreBOM: true }).decode(octets);
}

/** ASCII in which nothing is escaped. */
const plain = /^[ !-$&-*,-~]*$/;

/** The octets that a field of a form stands for. */
function unescapeField(field: string): Uint8Array {
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
