/** Custom headers of a webhook's subscription. */

import { CarillonError } from "@carillon/core";

const headerName = /^x-(?!smn)[A-Za-z0-9]+(-[A-Za-z0-9]+)*$/i;

/**
 * Checks headers; their names are kept in lower case.
 *
 * @throws CarillonError SUBSCRIPTION_INVALID
 */
export function checkHeaders(header: unknown): Record<string, string> {
  if (typeof header !== "object" || header === null || Array.isArray(header)) {
    throw invalidHeader("an object of names and values is expected");
  }
  const entries = Object.entries(header);
  if (entries.length > 10) throw invalidHeader("at most 10 headers");
  const checked: Record<string, string> = {};
  let length = 0;
  for (const [name, value] of entries) {
    if (!headerName.test(name)) {
      throw invalidHeader(
        `names start with x-, not x-smn, in letters, digits and dashes; ${quote(name)} does not`,
      );
    }
    if (typeof value !== "string") {
      throw invalidHeader(`the value of ${name} is not text`);
    }
    // The character alone: values are often secrets.
    const wrong = /[^\x20-\x7e]/u.exec(value);
    if (wrong !== null) {
      throw invalidHeader(
        `values are printable ASCII text; that of ${name} has the character ${codePointOf(wrong[0])} at position ${wrong.index + 1}`,
      );
    }
    const lower = name.toLowerCase();
    if (Object.hasOwn(checked, lower)) {
      throw invalidHeader(`names are unique; ${quote(name)} is there twice`);
    }
    checked[lower] = value;
    length += name.length + value.length;
  }
  if (length > 1024) throw invalidHeader("at most 1024 characters in all");
  return checked;
}

/** A name that may be anything, as one short line. */
function quote(name: string): string {
  return JSON.stringify(name.length > 64 ? `${name.slice(0, 63)}…` : name);
}

function codePointOf(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  return `U+${hex.padStart(4, "0")}`;
}

function invalidHeader(rule: string): CarillonError {
  return new CarillonError(
    "SUBSCRIPTION_INVALID",
    `Invalid extension.header: ${rule}.`,
  );
}
