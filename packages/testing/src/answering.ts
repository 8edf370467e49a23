/**
 * Stores that answer as a real one may and a test double seldom does. For
 * suites that prove that a program holds on every store:
 *
 * ```ts
 * testEngine(() => new MemoryStore({ clock }));
 * testEngine(() => answeringLate(new MemoryStore({ clock })));
 * testEngine(() => answeringOutOfOrder(new MemoryStore({ clock })));
 * ```
 *
 * `MemoryStore` as it is answers in a microtask: a loop on it that never goes
 * through the event loop starves all others.
 */

import type { Store } from "@carillon/core";
import { interceptCalls } from "./intercept-calls.ts";
import { seededRandom, shuffled } from "./seeded-random.ts";

/**
 * Each call takes effect at once and is answered some turns of the event loop
 * later, failures too.
 *
 * @param turns default 3
 */
export function answeringLate<Wrapped extends Store>(
  store: Wrapped,
  turns = 3,
): Wrapped {
  return interceptCalls(store, async (_, call) => {
    const [answer] = await Promise.allSettled([call()]);
    for (let turn = 0; turn < turns; turn++) await nextTurn();
    if (answer.status === "rejected") throw answer.reason;
    return answer.value;
  });
}

/** The longest that an answer is kept back, in turns of the event loop. */
const maxTurns = 3;

/**
 * Calls take effect in the order in which they are made; those that are under
 * way together are answered in another one, within a few turns of the event
 * loop.
 *
 * @param random default: one that is the same in each run
 */
export function answeringOutOfOrder<Wrapped extends Store>(
  store: Wrapped,
  random: () => number = seededRandom(1),
): Wrapped {
  let waiting: { turns: number; readonly answer: () => void }[] = [];
  let isRunning = false;

  async function run(): Promise<void> {
    isRunning = true;
    while (waiting.length > 0) {
      await nextTurn();
      for (const it of waiting) it.turns--;
      const due = waiting.filter(({ turns }) => turns <= 0);
      waiting = waiting.filter(({ turns }) => turns > 0);
      for (const { answer } of shuffled(due, random)) answer();
    }
    isRunning = false;
  }

  return interceptCalls(store, async (_, call) => {
    const [settled] = await Promise.allSettled([call()]);
    await new Promise<void>((answer) => {
      const turns = 1 + Math.floor(random() * maxTurns);
      waiting.push({ turns, answer });
      if (!isRunning) void run();
    });
    if (settled.status === "rejected") throw settled.reason;
    return settled.value;
  });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
