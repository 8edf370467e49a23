/** Parts that several schemas of our API have in common. */

import { CarillonError } from "@carillon/core";
import { Type } from "../../json-schema.ts";

/** An instant on the wire: RFC 3339, UTC, with milliseconds. */
export function instant(description: string) {
  return Type.String({ format: "date-time", description });
}

export const Role = Type.Union(
  [Type.Literal("member"), Type.Literal("admin"), Type.Literal("operator")],
  {
    description:
      "member: acts in the projects it is assigned to; admin: manages its domain, and acts in each of its projects; operator: manages all domains and the installation, and acts in each project",
  },
);

const defaultLimit = 100;
const maxLimit = 1000;

export const limitParameter = Type.Optional(
  Type.String({
    // Without a pattern: `readLimit` says the range.
    description: `How many at most, 1 to ${maxLimit}; ${defaultLimit} by default`,
    errorCode: "PAGE_INVALID",
  }),
);

/** @throws CarillonError PAGE_INVALID */
export function readLimit(text: string | undefined): number {
  if (text === undefined) return defaultLimit;
  if (isWithin(text, maxLimit)) return Number(text);
  throw new CarillonError("PAGE_INVALID", rangeText("limit", maxLimit));
}

/** Whether a text is a whole number from 1 to `max`. */
export function isWithin(text: string, max: number): boolean {
  return /^[0-9]+$/.test(text) && Number(text) >= 1 && Number(text) <= max;
}

/** What is said of a parameter that is not {@link isWithin} its range. */
export function rangeText(name: string, max: number): string {
  return `Invalid ${name}: a number from 1 to ${max} is expected.`;
}
