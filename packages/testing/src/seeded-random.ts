/**
 * Randomness that a test can repeat. Unlike `() => 0` it takes all branches
 * that chance would: a jitter that is never 0, an order that is not the given.
 */

/**
 * Answers numbers as `Math.random` does, `0 <= n < 1`, the same ones for the
 * same seed (mulberry32).
 *
 * @param seed any number; its lowest 32 bits count
 */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The items in a random order (Fisher and Yates). */
export function shuffled<Item>(
  items: Iterable<Item>,
  random: () => number,
): Item[] {
  const rest = [...items];
  const order: Item[] = [];
  while (rest.length > 0) {
    order.push(...rest.splice(Math.floor(random() * rest.length), 1));
  }
  return order;
}
