/** Parts that several schemas of our API have in common. */

import { CarillonError, type EpochMs, instantOf } from "@carillon/core";
import { RequestError } from "../../errors.ts";
import { Type } from "../../json-schema.ts";
import { failsWith } from "../validation.ts";

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

/** Of routes below `/topics/{topicUrn}`. */
export const topicParams = Type.Object({
  topicUrn: Type.String({
    description: "Of a topic of the caller's project",
    ...failsWith("TOPIC_URN_INVALID"),
  }),
});

const defaultLimit = 100;
const maxLimit = 1000;

export const limitParameter = Type.Optional(
  Type.String({
    // Without a pattern: `readLimit` says the range.
    description: `How many at most, 1 to ${maxLimit}`,
    default: String(defaultLimit),
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

/** @param what such as "Only those received" */
export function sinceParameter(what: string) {
  // No format: a plus that was not escaped comes as a space.
  return Type.Optional(
    Type.String({
      maxLength: 64,
      description: `${what} at this instant (RFC 3339) or later`,
    }),
  );
}

/**
 * @param name the parameter's
 * @throws RequestError REQUEST_INVALID
 */
export function parseInstant(text: string, name = "since"): EpochMs {
  const at = instantOf(text.replace(" ", "+"));
  if (text[10]?.toUpperCase() === "T" && at !== undefined) return at;
  throw new RequestError(
    "REQUEST_INVALID",
    `${name} is not as expected: an instant such as 2026-01-31T08:30:00Z.`,
  );
}
