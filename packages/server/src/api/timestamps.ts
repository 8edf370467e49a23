/** Instants (epoch milliseconds) in the forms of the wire, all UTC. */

/** `2026-01-15T08:30:00Z` */
export function toSecondsText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

/** `2026-01-15T08:30:00.123Z` (RFC 3339) */
export function toMillisecondsText(at: number): string {
  return new Date(at).toISOString();
}

/** `2026-01-15T08:30:00.123000Z` */
export function toMicrosecondsText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 23)}000Z`;
}
