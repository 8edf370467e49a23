/**
 * Forms and queries whose fields stay escaped until it is known which charset
 * they are in: one of them says so of another.
 */

import { decodeText } from "../../charset.ts";
import { octetsOf } from "../../form-encoding.ts";
import { MalformedRequestError } from "../../receiver.ts";

/** Escaped values by their names; of several the first. */
export type RawForm = ReadonlyMap<string, string>;

/** A call has ten. */
const maxFields = 100;

/**
 * Reads the fields of a body, or of a query without its `?`.
 *
 * @throws MalformedRequestError for more than a hundred
 */
export function readRawForm(encoded: string): RawForm {
  const form = new Map<string, string>();
  const pairs = encoded.split("&", maxFields + 1);
  if (pairs.length > maxFields) {
    throw new MalformedRequestError(`More than ${maxFields} fields`);
  }
  for (const pair of pairs) {
    const [, escapedName = "", value = ""] =
      /^([^=]*)=?(.*)$/s.exec(pair) ?? [];
    const name = decodeText(octetsOf(escapedName));
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
  return value === undefined ? undefined : decodeText(octetsOf(value), charset);
}
