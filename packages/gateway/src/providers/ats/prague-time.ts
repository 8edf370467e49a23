/** The clock of ATS, which is that of Prague. */

const minuteMs = 60_000;
const dayMs = 1440 * minuteMs;

/** Of the whole hours that its clocks are ahead of UTC: winter, summer. */
const offsets = [60 * minuteMs, 120 * minuteMs] as const;

/**
 * `2006-04-10 09:32:18` in Prague; `undefined` for what is no such instant. The
 * hour that the clocks skip in spring counts on from the winter time before it.
 * That which they repeat in autumn is its later pass, unless that one is still
 * to come.
 *
 * @param now milliseconds since the epoch
 */
export function parsePragueTime(text: string, now: number): Date | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)$/.exec(text.trim());
  if (match === null) return undefined;
  const local = new Date(`${match[1]}T${match[2]}Z`);
  const written = `${match[1]}T${match[2]}.000Z`;
  // A day that no month has becomes one of the next month.
  if (Number.isNaN(local.getTime()) || local.toISOString() !== written) {
    return undefined;
  }
  const [winter, summer] = offsets.map((offset) => local.getTime() - offset);
  if (winter === undefined || summer === undefined) return undefined;
  const isSummer = offsetAt(summer) === offsets[1];
  const isWinter = offsetAt(winter) === offsets[0];
  // Clocks differ: ours may be a little behind.
  const isWinterOver = winter <= now + 5 * minuteMs;
  return new Date(isSummer && !(isWinter && isWinterOver) ? summer : winter);
}

/** Until the day ends in Prague. */
export function msUntilPragueMidnight(now: number): number {
  const local = now + offsetAt(now);
  const midnight = Math.floor(local / dayMs + 1) * dayMs;
  const text = new Date(midnight).toISOString().slice(0, 19);
  const at = parsePragueTime(text, now)?.getTime() ?? now + dayMs;
  return at - now;
}

const zoneFormat = new Intl.DateTimeFormat("en", {
  timeZone: "Europe/Prague",
  timeZoneName: "longOffset",
});

/** Milliseconds that the clocks of Prague are ahead of UTC. */
function offsetAt(instant: number): number {
  const name = zoneFormat
    .formatToParts(instant)
    .find(({ type }) => type === "timeZoneName")?.value;
  const [, hours, minutes] = /\+(\d\d):(\d\d)/.exec(name ?? "") ?? [];
  return (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * minuteMs;
}
