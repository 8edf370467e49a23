import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CarillonError } from "@carillon/core";
import { answeringLate, answeringOutOfOrder } from "./answering.ts";
import { failing } from "./failing.ts";
import { MemoryStore } from "./memory-store.ts";
import { seededRandom } from "./seeded-random.ts";
import { testStoreContract } from "./store-contract.ts";

for (const wrap of [answeringLate, answeringOutOfOrder]) {
  testStoreContract(
    `A store ${wrap.name}`,
    async (options) => wrap(new MemoryStore(options)),
    { runs: 3 },
  );
}

describe("answering late", () => {
  test("takes as many turns of the event loop as asked for", async () => {
    for (const turns of [1, 3, 7]) {
      const store = answeringLate(new MemoryStore(), turns);
      assert.equal(await turnsOf(() => store.findSetting("a")), turns);
    }
  });

  test("takes effect before it answers", async () => {
    const store = new MemoryStore();
    const answer = answeringLate(store).putSetting("a", "1", 0);
    assert.equal((await store.findSetting("a"))?.value, "1");
    await answer;
  });

  test("brings failures late too", async () => {
    const error = new CarillonError("STORAGE_FULL");
    const store = failing(new MemoryStore(), { findSetting: { error } });
    const turns = await turnsOf(() =>
      assert.rejects(answeringLate(store).findSetting("a"), error),
    );
    assert.equal(turns, 3);
  });
});

describe("answering out of order", () => {
  test("answers each of many calls, in another order than asked", async () => {
    const store = answeringOutOfOrder(new MemoryStore(), seededRandom(5));
    const order: number[] = [];
    const asked = Array.from({ length: 20 }, (_, n) => n);
    await Promise.all(
      asked.map(async (n) => {
        await store.putSetting(`s${n}`, "x", 0);
        order.push(n);
      }),
    );
    assert.notDeepEqual(order, asked);
    assert.deepEqual(
      order.toSorted((a, b) => a - b),
      asked,
    );
    assert.equal((await store.findSetting("s19"))?.value, "x");
  });

  test("the same random brings the same order", async () => {
    const orderOf = async (seed: number) => {
      const store = answeringOutOfOrder(new MemoryStore(), seededRandom(seed));
      const order: number[] = [];
      await Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          await store.findSetting("a");
          order.push(n);
        }),
      );
      return order;
    };
    assert.deepEqual(await orderOf(2), await orderOf(2));
    assert.notDeepEqual(await orderOf(2), await orderOf(3));
  });
});

/** How often the event loop turns until a call is answered. */
async function turnsOf(call: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isAnswered = false;
  const count = () => {
    if (isAnswered) return;
    turns++;
    setImmediate(count);
  };
  const answer = call();
  setImmediate(count);
  await answer;
  isAnswered = true;
  return turns;
}
