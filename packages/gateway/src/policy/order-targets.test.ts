import assert from "node:assert/strict";
import { test } from "node:test";
import { hashToUnit, orderTargets } from "./order-targets.ts";
import type { PolicyRule } from "./policy-data.ts";

/** A small generator with a seed, so that shares are the same every time. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const rule: PolicyRule = {
  name: "r",
  use: [
    { provider: "heavy", weight: 3 },
    { provider: "light" },
    { provider: "spare1", weight: 0 },
    { provider: "spare2", weight: 0 },
  ],
};

const order = (r: PolicyRule, recipient: string, random: () => number) =>
  orderTargets(r, recipient, random).map(({ target }) => target.provider);

test("weights are shares, and weight 0 comes last as listed", () => {
  const random = seeded(1);
  let heavyFirst = 0;
  for (let i = 0; i < 4000; i++) {
    const providers = order(rule, "1", random);
    if (providers[0] === "heavy") heavyFirst += 1;
    assert.deepEqual(providers.slice(2), ["spare1", "spare2"]);
    assert.deepEqual(providers.slice(0, 2).sort(), ["heavy", "light"]);
  }
  assert.ok(Math.abs(heavyFirst / 4000 - 0.75) < 0.03, String(heavyFirst));
});

test("the draw decides, nothing else", () => {
  assert.equal(order(rule, "1", () => 0)[0], "heavy");
  const values = [0.001, 0.999];
  assert.equal(order(rule, "1", () => values.shift() ?? 0.5)[0], "light");
});

test("sticky rules need no chance: the same number, the same order", () => {
  const sticky = { ...rule, sticky: true };
  const never = () => assert.fail("random was asked");
  let heavyFirst = 0;
  for (let i = 0; i < 4000; i++) {
    const recipient = String(420777000000 + i);
    const providers = order(sticky, recipient, never);
    assert.deepEqual(order(sticky, recipient, never), providers);
    if (providers[0] === "heavy") heavyFirst += 1;
  }
  assert.ok(Math.abs(heavyFirst / 4000 - 0.75) < 0.03, String(heavyFirst));
});

test("a new target moves only the recipients it takes over", () => {
  const before: PolicyRule = {
    name: "r",
    sticky: true,
    use: [{ provider: "a" }, { provider: "b" }],
  };
  const after = { ...before, use: [...before.use, { provider: "c" }] };
  let moved = 0;
  for (let i = 0; i < 1000; i++) {
    const [old] = order(before, String(i), Math.random);
    const [now] = order(after, String(i), Math.random);
    if (now !== old) {
      assert.equal(now, "c");
      moved += 1;
    }
  }
  assert.ok(moved > 250 && moved < 420, String(moved));
});

test("a sticky sender stays with its recipient, and all are used", () => {
  const senders = ["111", "222", "333"];
  const pool: PolicyRule = {
    name: "r",
    sticky: true,
    use: [{ provider: "a", senders }],
  };
  const used = new Map<string | undefined, number>();
  for (let i = 0; i < 3000; i++) {
    const [first] = orderTargets(pool, String(i), Math.random);
    const [again] = orderTargets(pool, String(i), Math.random);
    assert.equal(first?.sender, again?.sender);
    used.set(first?.sender, (used.get(first?.sender) ?? 0) + 1);
  }
  assert.deepEqual([...used.keys()].sort(), senders);
  for (const count of used.values()) assert.ok(count > 850, String(count));
});

test("hashes lie strictly between 0 and 1 and are spread", () => {
  let sum = 0;
  for (let i = 0; i < 1000; i++) {
    const value = hashToUnit(`4207770000${i}`);
    assert.ok(value > 0 && value < 1);
    sum += value;
  }
  assert.ok(Math.abs(sum / 1000 - 0.5) < 0.05);
});
