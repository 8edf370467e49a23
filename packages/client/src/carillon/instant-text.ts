/** Instants as Carillon's own API takes them. */

import { InvalidOptionsError } from "../errors.ts";

/** A date, or what the API has: RFC 3339, such as `2026-12-24T08:00:00Z`. */
export type Instant = Date | string;

/**
 * A text is the server's to check.
 *
 * @throws InvalidOptionsError for a date that is none
 */
export function toInstantText(name: string, instant: Instant): string {
  if (typeof instant === "string") return instant;
  if (instant instanceof Date && !Number.isNaN(instant.getTime())) {
    return instant.toISOString();
  }
  throw new InvalidOptionsError(
    `Expected ${name} to be a valid Date, or a text such as "2026-12-24T08:00:00Z".`,
  );
}

/** The same where it may be absent. */
export function findInstantText(
  name: string,
  instant: Instant | undefined,
): string | undefined {
  return instant === undefined ? undefined : toInstantText(name, instant);
}
