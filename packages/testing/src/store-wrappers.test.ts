import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CarillonError } from "@carillon/core";
import { MemoryStore } from "./memory-store.ts";
import { seededRandom } from "./seeded-random.ts";
import { testStoreContract } from "./store-contract.ts";
import {
  answeringAtOnce,
  answeringLate,
  answeringOutOfOrder,
  failing,
} from "./store-wrappers.ts";

for (const wrap of [answeringAtOnce, answeringLate, answeringOutOfOrder]) {
  testStoreContract(
    `A store ${wrap.name}`,
    async (options) => wrap(new MemoryStore(options)),
    { runs: 3 },
  );
}

describe("answering at once", () => {
  test("comes before the event loop turns", async () => {
    const store = answeringAtOnce(new MemoryStore());
    assert.equal(await turnsOf(() => store.getSetting("a")), 0);
  });
});

describe("answering late", () => {
  test("takes as many turns of the event loop as asked for", async () => {
    for (const turns of [1, 3, 7]) {
      const store = answeringLate(new MemoryStore(), turns);
      assert.equal(await turnsOf(() => store.getSetting("a")), turns);
    }
  });

  test("takes effect before it answers", async () => {
    const store = new MemoryStore();
    const answer = answeringLate(store).putSetting("a", "1");
    assert.equal(await store.getSetting("a"), "1");
    await answer;
  });

  test("brings failures late too", async () => {
    const error = new CarillonError("STORAGE_FULL");
    const store = failing(new MemoryStore(), { getSetting: { error } });
    const turns = await turnsOf(() =>
      assert.rejects(answeringLate(store).getSetting("a"), error),
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
        await store.putSetting("last", `${n}`);
        order.push(n);
      }),
    );
    assert.notDeepEqual(order, asked);
    assert.deepEqual(
      order.toSorted((a, b) => a - b),
      asked,
    );
    assert.equal(await store.getSetting("last"), "19");
  });

  test("the same random brings the same order", async () => {
    const orderOf = async (seed: number) => {
      const store = answeringOutOfOrder(new MemoryStore(), seededRandom(seed));
      const order: number[] = [];
      await Promise.all(
        Array.from({ length: 20 }, async (_, n) => {
          await store.getSetting("a");
          order.push(n);
        }),
      );
      return order;
    };
    assert.deepEqual(await orderOf(2), await orderOf(2));
    assert.notDeepEqual(await orderOf(2), await orderOf(3));
  });
});

describe("failing", () => {
  const error = new CarillonError("STORAGE_UNAVAILABLE");

  test("fails as often as planned, and changes nothing then", async () => {
    const plan = { putSetting: { error, times: 2, after: 1 } };
    const store = failing(new MemoryStore(), plan);
    await store.putSetting("a", "1");
    await assert.rejects(store.putSetting("a", "2"), error);
    await assert.rejects(store.putSetting("a", "3"), error);
    assert.equal(await store.getSetting("a"), "1");
    await store.putSetting("a", "4");
    assert.equal(await store.getSetting("a"), "4");
  });

  test("fails until the plan is changed", async () => {
    const plan: Parameters<typeof failing>[1] = { peekWork: { error } };
    const store = failing(new MemoryStore(), plan);
    for (let n = 0; n < 5; n++) await assert.rejects(store.peekWork(), error);
    plan.peekWork = undefined;
    await store.peekWork();
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
