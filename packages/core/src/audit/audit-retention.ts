/** Which entries of the audit log give way to newer ones. */

/** Entries of one source in one domain. */
export interface AuditSource {
  /** Absent for what is about no domain that there is. */
  readonly domainId?: string | undefined;
  /** A user's id; absent for refused log-ins, which are one source together. */
  readonly userId?: string | undefined;
  /** How many are kept. */
  readonly count: number;
}

/** The log is looked through each time that so many entries were added. */
export const auditCheckInterval = 100;

/**
 * How many of each source's entries, the oldest ones, are beyond what may be
 * kept. Domains have equal shares, and what one leaves is shared by the others;
 * so have the sources within a domain. Who adds many pushes out its own.
 */
export function surplusAuditEntries<Source extends AuditSource>(
  sources: readonly Source[],
  maxEntries: number,
): readonly { readonly source: Source; readonly surplus: number }[] {
  const domains = Map.groupBy(sources, ({ domainId }) => domainId);
  const totals = [...domains.values()].map(sumOf);
  const share = shareOf(totals, maxEntries);
  return [...domains.values()].flatMap((ofDomain) => {
    const counts = ofDomain.map(({ count }) => count);
    const level = shareOf(counts, Math.min(share, sumOf(ofDomain)));
    return ofDomain
      .filter(({ count }) => count > level)
      .map((source) => ({ source, surplus: source.count - level }));
  });
}

function sumOf(sources: readonly AuditSource[]): number {
  return sources.reduce((sum, { count }) => sum + count, 0);
}

/** The most that each may have so that all together have no more than `max`. */
function shareOf(counts: readonly number[], max: number): number {
  let left = max;
  const rising = counts.toSorted((a, b) => a - b);
  for (const [i, count] of rising.entries()) {
    const share = Math.floor(left / (rising.length - i));
    if (count > share) return share;
    left -= count;
  }
  return Number.POSITIVE_INFINITY;
}
