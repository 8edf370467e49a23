import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertCost } from "./assert-cost.ts";

describe("with a processor of its own", () => {
  /** Work that takes so many microseconds, and the last of them ever after. */
  function createWork() {
    let us = 0;
    return {
      cpuUs: () => us,
      taking: (...costs: readonly [number, ...number[]]) => {
        let run = 0;
        return () => {
          us += costs[Math.min(run++, costs.length - 1)] ?? 0;
        };
      },
    };
  }

  test("what costs as much as it may passes", async () => {
    const { cpuUs, taking } = createWork();
    const timesThatOf = taking(10_000);
    await assertCost(taking(30_000), { atMost: 3, timesThatOf, cpuUs });
  });

  test("what costs more fails, and says how much", async () => {
    const { cpuUs, taking } = createWork();
    const timesThatOf = taking(10_000);
    await assert.rejects(
      assertCost(taking(30_001), { atMost: 3, timesThatOf, cpuUs }),
      /30001 µs where 30000 µs are allowed/,
    );
  });

  test("what was held up now and then passes", async () => {
    const { cpuUs, taking } = createWork();
    const work = taking(299_999, 80_000, 90_000, 30_000);
    const timesThatOf = taking(10_000);
    await assertCost(work, { atMost: 3, timesThatOf, cpuUs });
  });

  test("what costs far too much is not run again", async () => {
    const { cpuUs, taking } = createWork();
    const work = taking(300_001, 30_000);
    const timesThatOf = taking(10_000);
    await assert.rejects(assertCost(work, { atMost: 3, timesThatOf, cpuUs }));
  });

  test("a baseline that was slow at first does not excuse the work", async () => {
    const { cpuUs, taking } = createWork();
    const timesThatOf = taking(900_000, 10_000);
    await assert.rejects(
      assertCost(taking(30_001), { atMost: 3, timesThatOf, cpuUs }),
    );
  });

  test("short work is repeated, and each run waited for", async () => {
    const { cpuUs, taking } = createWork();
    let running = 0;
    const waiting = (work: () => void) => async () => {
      assert.equal(running++, 0);
      await new Promise((resolve) => setImmediate(resolve));
      work();
      running--;
    };
    const timesThatOf = waiting(taking(7));
    await assertCost(waiting(taking(20)), { atMost: 3, timesThatOf, cpuUs });
    await assert.rejects(
      assertCost(waiting(taking(22)), { atMost: 3, timesThatOf, cpuUs }),
    );
  });
});

describe("growth", () => {
  const linear = (length: number) => {
    let sum = 0;
    for (let n = 0; n < 100 * length; n++) sum += n & 3;
    return sum;
  };
  const quadratic = (length: number) => {
    let sum = 0;
    for (let i = 0; i < length; i++) {
      for (let j = 0; j < length; j++) sum += (i + j) & 3;
    }
    return sum;
  };
  const limitOf = (work: (length: number) => number) => ({
    atMost: 8,
    timesThatOf: () => work(2000),
  });

  test("is told to be linear", async () => {
    await assertCost(() => linear(8000), limitOf(linear));
  });

  test("is told to be quadratic", async () => {
    await assert.rejects(assertCost(() => quadratic(8000), limitOf(quadratic)));
  });
});
