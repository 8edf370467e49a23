/** Instants in the forms of the wire, all UTC. */

import type { EpochMs } from "@carillon/core";

/** `2026-01-15T08:30:00Z` */
export function toSecondsText(at: EpochMs): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

/** `2026-01-15T08:30:00.123Z` (RFC 3339) */
export function toMillisecondsText(at: EpochMs): string {
  return new Date(at).toISOString();
}

/** `2026-01-15T08:30:00.123000Z` */
export function toMicrosecondsText(at: EpochMs): string {
  return `${new Date(at).toISOString().slice(0, 23)}000Z`;
}
