/**
 * The order in which the providers of a route are tried: shared at random, or,
 * for sticky rules, by the recipient's number alone, so that it needs no
 * memory, and is the same after a restart and on every node. A provider that is
 * added, or gets another weight, moves only the recipients that it takes over
 * or gives up.
 */

import { providersOf, type RouteTree } from "./route-line.ts";

/** A number above or equal 0 and below 1, by what it is drawn for. */
export type Draw = (what: string) => number;

/** For rules that are not sticky. */
export function drawAtRandom(random: () => number): Draw {
  return () => random();
}

/** For sticky rules: the same each time. */
export function drawByRecipient(recipient: string): Draw {
  return (what) => hashToUnit(`${recipient}\0${what}`);
}

/** All providers of the route, each once. */
export function orderProviders(
  route: RouteTree,
  draw: Draw,
): readonly string[] {
  const ordered: string[] = [];
  walk(route, draw, 0, ordered);
  return ordered;
}

/** @param depth how many shares are around it */
function walk(
  route: RouteTree,
  draw: Draw,
  depth: number,
  into: string[],
): void {
  switch (route.kind) {
    case "provider":
      into.push(route.provider);
      return;
    case "failover":
      for (const part of route.of) walk(part, draw, depth, into);
      return;
    case "share": {
      const keyed = route.of.map((share) => {
        // A group goes by its first provider; by its depth too, or who is
        // drawn within a group would depend on the group being drawn.
        const [name = ""] = providersOf(share.route);
        const drawn = draw(`share\0${depth}\0${name}`);
        // Sorting by exponential keys draws without replacement in proportion
        // to the weights. The bound keeps the logarithm finite.
        const unit = Math.max(drawn, Number.MIN_VALUE);
        return { route: share.route, key: -Math.log(unit) / share.weight };
      });
      keyed.sort((a, b) => a.key - b.key);
      for (const { route: part } of keyed) walk(part, draw, depth + 1, into);
      return;
    }
    default:
      route satisfies never;
  }
}

/** One of a provider's senders; as with providers, a new one moves few. */
export function chooseSender(
  provider: string,
  senders: readonly string[] | undefined,
  draw: Draw,
): string | undefined {
  if (senders === undefined || senders.length < 2) return senders?.[0];
  let best: string | undefined;
  let highest = -1;
  for (const sender of senders) {
    const value = draw(`sender\0${provider}\0${sender}`);
    if (value > highest) {
      best = sender;
      highest = value;
    }
  }
  return best;
}

/** A number above 0 and below 1 that depends on the text alone. */
export function hashToUnit(text: string): number {
  // FNV-1a, then the finaliser of MurmurHash3 to spread similar texts.
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  hash ^= hash >>> 16;
  return ((hash >>> 0) + 0.5) / 2 ** 32;
}
