import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "@carillon/testing";
import {
  chooseSender,
  drawAtRandom,
  drawByRecipient,
  hashToUnit,
  orderProviders,
} from "./order-providers.ts";
import { parseRouteLine, providersOf, type RouteTree } from "./route-line.ts";

const recipients = Array.from({ length: 6000 }, (_, i) =>
  String(420777000000 + i * 7),
);

const atRandom = drawAtRandom(Math.random);
const order = (line: string, draw = atRandom) =>
  orderProviders(parseRouteLine(line), draw);
const sticky = (line: string, recipient: string) =>
  order(line, drawByRecipient(recipient));

/** Which share of so many orders each order has. */
function sharesOf(orders: readonly (readonly string[])[]) {
  const counts = new Map<string, number>();
  for (const names of orders) {
    const key = names.join(" ");
    counts.set(key, (counts.get(key) ?? 0) + 1 / orders.length);
  }
  return counts;
}

for (const [line, expected] of [
  ["a", { a: 1 }],
  ["a || b || c", { "a b c": 1 }],
  ["a*3 && b", { "a b": 3 / 4, "b a": 1 / 4 }],
  ["a*3 && b || c", { "a b c": 3 / 4, "b a c": 1 / 4 }],
  ["a || b*3 && c", { "a b c": 3 / 4, "a c b": 1 / 4 }],
  ["(a || b) && c", { "a b c": 1 / 2, "c a b": 1 / 2 }],
  [
    "(a && b)*2 && c",
    { "a b c": 1 / 3, "b a c": 1 / 3, "c a b": 1 / 6, "c b a": 1 / 6 },
  ],
  [
    // The second among those that are left, by weight too.
    "a*2 && b && c",
    {
      "a b c": 1 / 4,
      "a c b": 1 / 4,
      "b a c": 1 / 6,
      "b c a": 1 / 12,
      "c a b": 1 / 6,
      "c b a": 1 / 12,
    },
  ],
] as const) {
  for (const [how, orders] of [
    // By the real chance: a deviation of 0.03 is one in millions of runs.
    ["at random", () => recipients.map(() => order(line))],
    ["by recipient", () => recipients.map((it) => sticky(line, it))],
  ] as const) {
    test(`${line} shares as its weights say, ${how}`, () => {
      const shares = sharesOf(orders());
      assert.deepEqual([...shares.keys()].sort(), Object.keys(expected).sort());
      for (const [names, share] of Object.entries(expected)) {
        const actual = shares.get(names) ?? 0;
        assert.ok(Math.abs(actual - share) < 0.03, `${names}: ${actual}`);
      }
    });
  }
}

/** What no order may break, whatever was drawn. */
function checkOrder(route: RouteTree, names: readonly string[]): void {
  assert.deepEqual([...names].sort(), [...providersOf(route)].sort());
  if (route.kind === "provider") return;
  const parts = route.of.map((it) => ("route" in it ? it.route : it));
  const within = parts.map((part) => {
    const inner = providersOf(part);
    const at = inner.map((name) => names.indexOf(name)).sort((a, b) => a - b);
    // A part stands together.
    assert.equal((at.at(-1) ?? 0) - (at[0] ?? 0), inner.length - 1);
    checkOrder(
      part,
      names.filter((name) => inner.includes(name)),
    );
    return at[0] ?? 0;
  });
  if (route.kind === "failover") {
    assert.deepEqual(
      within,
      within.toSorted((a, b) => a - b),
    );
  }
}

test("each provider stands once, in the order of ||, and groups stay together", () => {
  const random = seededRandom(3);
  for (const line of [
    "a || b || c || d",
    "(a || b)*5 && (c || d && e)*2 && f || g",
    "a && (b && (c || d && e*9)) || (f || g) && h",
  ]) {
    const route = parseRouteLine(line);
    for (let i = 0; i < 500; i++) {
      checkOrder(route, orderProviders(route, random));
      checkOrder(route, sticky(line, String(i)));
    }
  }
  assert.throws(() => checkOrder(parseRouteLine("a || b"), ["b", "a"]));
  assert.throws(() =>
    checkOrder(parseRouteLine("(a || b) && c"), ["a", "c", "b"]),
  );
});

test("a draw of 0 is a draw", () => {
  assert.deepEqual(order("a && b", () => 0).length, 2);
});

test("the same number gets the same, on every node and after every restart", () => {
  // Written down: what depended on anything but the number and the names would
  // not be the same here today as where it was written.
  assert.deepEqual(
    ["420777123456", "420777123457", "4915112345678", "12025550123"].map(
      (recipient) => [
        ...sticky("a*3 && b && c", recipient),
        chooseSender("a", ["1", "2", "3"], drawByRecipient(recipient)),
      ],
    ),
    [
      ["c", "a", "b", "3"],
      ["a", "c", "b", "2"],
      ["a", "c", "b", "1"],
      ["b", "a", "c", "1"],
    ],
  );
});

/** First providers before and after, of those whose first is another one. */
function moved(before: string, after: string) {
  return recipients.flatMap((recipient) => {
    const [from] = sticky(before, recipient);
    const [to] = sticky(after, recipient);
    return from === to ? [] : [`${from} ${to}`];
  });
}

for (const [what, before, after, share, kinds] of [
  ["a new provider", "a && b", "a && b && c", 1 / 3, ["a c", "b c"]],
  ["more weight", "a && b && c", "a && b && c*2", 1 / 6, ["a c", "b c"]],
  ["less weight", "a && b && c*2", "a && b && c", 1 / 6, ["c a", "c b"]],
  ["one that is gone", "a && b && c", "a && b", 1 / 3, ["c a", "c b"]],
  ["another order", "a && b && c*2", "c*2 && b && a", 0, []],
  ["one for when they failed", "a && b", "a && b || c", 0, []],
] as const) {
  test(`${what} moves only whom it must: ${before} to ${after}`, () => {
    const moves = moved(before, after);
    assert.deepEqual([...new Set(moves)].sort(), kinds);
    const actual = moves.length / recipients.length;
    assert.ok(Math.abs(actual - share) < 0.02, String(actual));
  });
}

test("who comes second stays the same too when the first is taken out", () => {
  for (const recipient of recipients) {
    const [first, ...others] = sticky("a*2 && b && c && d", recipient);
    const line = ["a*2", "b", "c", "d"].filter((it) => it[0] !== first);
    assert.deepEqual(sticky(line.join(" && "), recipient), others);
  }
});

test("a sticky sender stays with its recipient, all are used, and a new one moves few", () => {
  const senders = ["111", "222", "333"];
  const used = new Map<string | undefined, number>();
  let moves = 0;
  for (const recipient of recipients) {
    const draw = drawByRecipient(recipient);
    const sender = chooseSender("a", senders, draw);
    assert.equal(chooseSender("a", senders.toReversed(), draw), sender);
    used.set(sender, (used.get(sender) ?? 0) + 1 / recipients.length);
    const next = chooseSender("a", [...senders, "444"], draw);
    if (next === sender) continue;
    assert.equal(next, "444");
    moves += 1 / recipients.length;
  }
  assert.deepEqual([...used.keys()].sort(), senders);
  for (const share of used.values()) assert.ok(Math.abs(share - 1 / 3) < 0.03);
  assert.ok(Math.abs(moves - 1 / 4) < 0.03, String(moves));
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
