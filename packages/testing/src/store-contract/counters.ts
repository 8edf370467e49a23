import assert from "node:assert/strict";
import type { CounterRule, Store } from "@carillon/core";
import type { Cases } from "./cases.ts";
import { addSubscription, addTopic } from "./fixtures.ts";

const fixed: CounterRule = {
  kind: "wrong_code",
  windowMs: 1000,
  isSliding: false,
  maxCounters: 100,
};
const sliding: CounterRule = {
  ...fixed,
  kind: "refused_login",
  isSliding: true,
};

function add(store: Store, rule: CounterRule, key: string, by = 1) {
  return store.changeCounters(rule, { added: [{ key, by }] });
}

async function countsOf(store: Store, rule: CounterRule, ...keys: string[]) {
  const counters = await store.readCounters(rule.kind, keys);
  return counters.map((it) => it?.count);
}

export function testCounters({ test }: Cases): void {
  test("adds to counters, each of its kind", async (store) => {
    assert.deepEqual(await add(store, fixed, "a", 2), [
      { count: 2, sinceLastMs: 0, endsInMs: 1000 },
    ]);
    const added = [
      { key: "b", by: 1 },
      { key: "a", by: 3 },
      { key: "b", by: 4 },
    ];
    const counters = await store.changeCounters(fixed, { added });
    assert.deepEqual(
      counters?.map(({ count }) => count),
      [1, 5, 5],
    );
    assert.deepEqual(await countsOf(store, fixed, "b", "none", "a"), [
      5,
      undefined,
      5,
    ]);
    assert.deepEqual(await countsOf(store, sliding, "a"), [undefined]);
  });

  test("gives a counter a window of its own", async (store, clock) => {
    const added = [
      { key: "short", by: 1 },
      { key: "long", by: 1, windowMs: 5000 },
    ];
    const counters = await store.changeCounters(fixed, { added });
    assert.deepEqual(
      counters?.map(({ endsInMs }) => endsInMs),
      [1000, 5000],
    );
    clock.advance(1000);
    assert.deepEqual(await countsOf(store, fixed, "short", "long"), [
      undefined,
      1,
    ]);
    await assert.rejects(
      store.changeCounters(fixed, {
        added: [{ key: "none", by: 1, windowMs: 0 }],
      }),
      { code: "STORAGE_REFUSED" },
    );
  });

  test("counts all that many add at once", async (store) => {
    await Promise.all(
      Array.from({ length: 200 }, (_, n) =>
        store.changeCounters(fixed, {
          added: [
            { key: "all", by: 1 },
            { key: `k${n % 10}`, by: 2 },
          ],
        }),
      ),
    );
    assert.deepEqual(
      await countsOf(store, fixed, "all", "k0", "k9"),
      [200, 40, 40],
    );
  });

  test("adds nothing once a counter has reached its maximum", async (store) => {
    const change = {
      added: [
        { key: "all", by: 1 },
        { key: "own", by: 1, max: 5 },
      ],
    };
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => store.changeCounters(fixed, change)),
    );
    assert.equal(answers.filter(Boolean).length, 5);
    assert.deepEqual(await countsOf(store, fixed, "own", "all"), [5, 5]);
    const refused = { ...change, removed: ["all"] };
    assert.equal(await store.changeCounters(fixed, refused), undefined);
    assert.deepEqual(await countsOf(store, fixed, "own", "all"), [5, 5]);
  });

  test("ends a window so long after what was counted first", async (store, clock) => {
    await add(store, fixed, "a");
    clock.advance(600);
    assert.deepEqual(await add(store, fixed, "a"), [
      { count: 2, sinceLastMs: 0, endsInMs: 400 },
    ]);
    clock.advance(399);
    assert.deepEqual(await store.readCounters("wrong_code", ["a"]), [
      { count: 2, sinceLastMs: 399, endsInMs: 1 },
    ]);
    clock.advance(1);
    assert.deepEqual(await countsOf(store, fixed, "a"), [undefined]);
    assert.deepEqual(await add(store, fixed, "a"), [
      { count: 1, sinceLastMs: 0, endsInMs: 1000 },
    ]);
  });

  test("ends a sliding window so long after what was counted last", async (store, clock) => {
    await add(store, sliding, "a");
    for (let n = 2; n < 6; n++) {
      clock.advance(999);
      assert.deepEqual(await add(store, sliding, "a"), [
        { count: n, sinceLastMs: 0, endsInMs: 1000 },
      ]);
    }
    clock.advance(1000);
    assert.deepEqual(await countsOf(store, sliding, "a"), [undefined]);
  });

  test("takes what was counted a while ago", async (store, clock) => {
    clock.advance(5000);
    const late = (agoMs: number) =>
      store.changeCounters(sliding, { added: [{ key: "a", by: 1, agoMs }] });
    assert.deepEqual(await late(300), [
      { count: 1, sinceLastMs: 300, endsInMs: 700 },
    ]);
    // Of two the later one counts, in whichever order they come.
    assert.deepEqual(await late(900), [
      { count: 2, sinceLastMs: 300, endsInMs: 700 },
    ]);
  });

  test("begins counters anew", async (store) => {
    await add(store, fixed, "a", 7);
    await add(store, fixed, "b", 7);
    await add(store, fixed, "c", 7);
    await add(store, sliding, "a", 7);
    const removed = ["a", "b", "none"];
    const added = [{ key: "b", by: 1 }];
    await store.changeCounters(fixed, { removed, added });
    assert.deepEqual(await countsOf(store, fixed, "a", "b", "c"), [
      undefined,
      1,
      7,
    ]);
    assert.deepEqual(await countsOf(store, sliding, "a"), [7]);
  });

  test("keeps a bounded number of counters of each kind", async (store, clock) => {
    const small = { ...fixed, maxCounters: 10 };
    await add(store, sliding, "other");
    for (let n = 0; n < 30; n++) {
      await add(store, small, `k${n}`);
      clock.advance(1);
    }
    const keys = Array.from({ length: 30 }, (_, n) => `k${n}`);
    const kept = await countsOf(store, small, ...keys);
    assert.deepEqual(
      keys.filter((_, n) => kept[n] !== undefined),
      keys.slice(20),
    );
    // Adding to those that are there pushes none out.
    for (const key of keys.slice(20)) await add(store, small, key);
    assert.deepEqual(await countsOf(store, small, "k20", "k29"), [2, 2]);
    assert.deepEqual(await countsOf(store, sliding, "other"), [1]);
  });

  test("keeps the bound whatever number comes at once", async (store, clock) => {
    const rule = { ...fixed, maxCounters: 200 };
    let last = 0;
    for (let n = 0; n < 12; n++) {
      const added = Array.from({ length: 1 + ((n * 37) % 90) }, () => ({
        key: `k${last++}`,
        by: 1,
      }));
      await store.changeCounters(rule, { added });
      clock.advance(1);
      const keys = Array.from({ length: last }, (_, n) => `k${n}`);
      const kept = (await countsOf(store, rule, ...keys)).flatMap((count, n) =>
        count === undefined ? [] : [n],
      );
      assert.ok(kept.length <= 200, `${kept.length} kept`);
      assert.ok(kept.length >= Math.min(last, 190), `${kept.length} kept`);
      // Those that came last are there.
      assert.ok(kept.includes(last - 1));
      // A change adds 90 at most, and those of one end together.
      assert.ok(!kept.includes(last - 300));
    }
  });

  test("removes counters that have ended, as many as asked for", async (store, clock) => {
    const added = Array.from({ length: 7 }, (_, n) => ({
      key: `k${n}`,
      by: 1,
    }));
    await store.changeCounters(fixed, { added });
    await store.changeCounters(sliding, { added });
    clock.advance(999);
    assert.equal(await store.removeEndedCounters(99), 0);
    clock.advance(1);
    assert.equal(await store.removeEndedCounters(10), 10);
    assert.equal(await store.removeEndedCounters(10), 4);
    assert.equal(await store.removeEndedCounters(10), 0);
  });

  test("refuses counters that are out of bounds, and changes nothing", async (store) => {
    const refused = { code: "STORAGE_REFUSED" };
    const good = { key: "good", by: 1 };
    for (const key of [
      "",
      "x".repeat(65),
      "a b",
      "a'; DROP TABLE counters; --",
      "a\u0000",
      "ä",
      "+4930123",
      null as unknown as string,
      { toString: () => "a" } as unknown as string,
    ]) {
      await assert.rejects(
        store.changeCounters(fixed, { added: [good, { key, by: 1 }] }),
        refused,
      );
      await assert.rejects(
        store.changeCounters(fixed, { removed: [key], added: [good] }),
        refused,
      );
      await assert.rejects(store.readCounters("wrong_code", [key]), refused);
    }
    for (const addition of [
      { by: 0 },
      { by: -1 },
      { by: 0.5 },
      { by: Number.NaN },
      { by: 1_000_000_001 },
      { by: 1, agoMs: -1 },
      { by: 1, agoMs: 1000 },
      { by: 1, max: 0 },
    ]) {
      const added = [good, { key: "a", ...addition }];
      await assert.rejects(store.changeCounters(fixed, { added }), refused);
    }
    for (const rule of [
      { windowMs: 0 },
      { windowMs: 1.5 },
      { windowMs: 32 * 24 * 3_600_000 },
      { maxCounters: 0 },
    ]) {
      const change = { added: [good] };
      await assert.rejects(
        store.changeCounters({ ...fixed, ...rule }, change),
        refused,
      );
    }
    const many = Array.from({ length: 1001 }, (_, n) => `k${n}`);
    await assert.rejects(store.readCounters("wrong_code", many), refused);
    await assert.rejects(
      store.changeCounters(fixed, { removed: many, added: [good] }),
      refused,
    );
    assert.deepEqual(await countsOf(store, fixed, "good"), [undefined]);
  });

  test("confirms by a code unless too many were wrong", async (store, clock) => {
    const topic = await addTopic(store);
    const codes = { sender: "own", all: "all" };
    const confirmed = async (own: number, all: number) => {
      const removed = ["own", "all"];
      const added = Object.entries({ own, all }).flatMap(([key, by]) =>
        by > 0 ? [{ key, by }] : [],
      );
      await store.changeCounters(fixed, { removed, added });
      const { id } = await addSubscription(store, topic, { status: 0 });
      return (await store.confirmSubscription(id, 0, codes)) !== undefined;
    };
    for (const [own, all, expected] of [
      [0, 0, true],
      [4, 99, true],
      [5, 5, false],
      [0, 100, true],
      [1, 100, false],
    ] as const) {
      assert.equal(await confirmed(own, all), expected, `${own} of ${all}`);
    }
    const { id } = await addSubscription(store, topic, { status: 0 });
    assert.equal(await store.confirmSubscription(id, 0, codes), undefined);
    assert.equal((await store.findSubscriptionById(id))?.status, 0);
    clock.advance(1000);
    assert.equal((await store.confirmSubscription(id, 0, codes))?.status, 1);
  });
}
