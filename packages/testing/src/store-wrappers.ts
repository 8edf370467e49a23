/**
 * Stores that behave as a real one may and a test double seldom does: they
 * answer late, in another order, or fail. For suites that prove that a program
 * holds on every store:
 *
 * ```ts
 * for (const wrap of [answeringAtOnce, answeringLate, answeringOutOfOrder]) {
 *   testEngine(() => wrap(new MemoryStore({ clock })));
 * }
 * ```
 *
 * Each wraps any store, and keeps its properties and its type.
 */

import type { Store } from "@carillon/core";
import { seededRandom, shuffled } from "./seeded-random.ts";

/**
 * The store as it is. `MemoryStore` answers in a microtask: a loop that never
 * goes through the event loop starves all others on it.
 */
export function answeringAtOnce<Wrapped extends Store>(
  store: Wrapped,
): Wrapped {
  return store;
}

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
  return intercept(store, async (_, call) => {
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

  return intercept(store, async (_, call) => {
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

/** How a method of the store fails. */
export interface PlannedFailure {
  readonly error: Error;
  /** How many calls fail; those after them do not. Default: all. */
  readonly times?: number;
  /** How many calls succeed before. Default: none. */
  readonly after?: number;
}

/** By method. Read at each call: what is taken out fails no more. */
export type FailurePlan = {
  [Method in keyof Store]?: PlannedFailure | undefined;
};

/**
 * Chosen methods throw chosen errors, as a full disk or a lost connection has
 * them; a call that fails has changed nothing.
 */
export function failing<Wrapped extends Store>(
  store: Wrapped,
  plan: FailurePlan,
): Wrapped {
  const calls = new Map<PlannedFailure, number>();
  return intercept(store, async (method, call) => {
    // Other names than the port's are not in the plan.
    const failure = plan[method as keyof Store];
    if (!failure) return await call();
    const { error, times = Number.POSITIVE_INFINITY, after = 0 } = failure;
    const nth = calls.get(failure) ?? 0;
    calls.set(failure, nth + 1);
    if (nth >= after && nth < after + times) throw error;
    return await call();
  });
}

/** Every method goes through `around`; all of a store's answer promises. */
function intercept<Wrapped extends Store>(
  store: Wrapped,
  around: (
    method: PropertyKey,
    call: () => Promise<unknown>,
  ) => Promise<unknown>,
): Wrapped {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) =>
        around(name, async () => Reflect.apply(value, target, args));
    },
  });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
