/**
 * The order in which the targets of a rule are tried: weighted at random, or,
 * for sticky rules, by the recipient's number alone, so that it needs no
 * memory and survives restarts. Adding a target moves only the recipients that
 * it takes over.
 */

import type { PolicyRule, PolicyTarget } from "./policy-data.ts";

export interface OrderedTarget {
  readonly target: PolicyTarget;
  readonly sender: string | undefined;
}

export function orderTargets(
  rule: PolicyRule,
  recipient: string,
  random: () => number,
): OrderedTarget[] {
  const draw = rule.sticky
    ? (what: string) => hashToUnit(`${recipient}\0${what}`)
    : random;
  const weighted: { target: PolicyTarget; key: number }[] = [];
  const spare: PolicyTarget[] = [];
  for (const target of rule.use) {
    const weight = target.weight ?? 1;
    if (weight === 0) {
      spare.push(target);
    } else {
      // Sorting by exponential keys draws without replacement in proportion
      // to the weights. The bound keeps the logarithm finite.
      const unit = Math.max(draw(target.provider), Number.MIN_VALUE);
      weighted.push({ target, key: -Math.log(unit) / weight });
    }
  }
  weighted.sort((a, b) => a.key - b.key);
  const targets = [...weighted.map(({ target }) => target), ...spare];
  return targets.map((target) => ({
    target,
    sender: chooseSender(target, draw),
  }));
}

function chooseSender(
  target: PolicyTarget,
  draw: (what: string) => number,
): string | undefined {
  const { senders } = target;
  if (senders === undefined || senders.length < 2) return senders?.[0];
  // Highest draw wins: as with targets, a new sender moves few recipients.
  let best: string | undefined;
  let highest = -1;
  for (const sender of senders) {
    const value = draw(`${target.provider}\0${sender}`);
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
