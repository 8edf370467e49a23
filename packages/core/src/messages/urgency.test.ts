import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MessageClass, MessagePriority } from "./message.ts";
import {
  dueShares,
  takeByUrgency,
  type Urgency,
  type UrgencyOptions,
  urgencies,
  urgencyOf,
  urgentOnly,
} from "./urgency.ts";

const cases: [
  priority: MessagePriority | undefined,
  kind: MessageClass | undefined,
  options: UrgencyOptions,
  urgency: Urgency,
][] = [
  [undefined, undefined, {}, 2],
  [undefined, undefined, { recipients: 100 }, 2],
  [undefined, undefined, { recipients: 101 }, 3],
  [undefined, "otp", { recipients: 5000 }, 1],
  [undefined, "transactional", { recipients: 5000 }, 2],
  [undefined, "bulk", { recipients: 1 }, 3],
  [1, "bulk", { recipients: 5000 }, 1],
  [2, "otp", {}, 2],
  [3, "otp", {}, 3],
  [undefined, undefined, { isBatched: true }, 3],
  [undefined, "otp", { isBatched: true }, 3],
  [2, "otp", { isBatched: true }, 2],
];

for (const [priority, kind, options, urgency] of cases) {
  const of = JSON.stringify({ priority, class: kind, ...options });
  test(`is ${urgency} of ${of}`, () => {
    const message = {
      ...(priority && { priority }),
      ...(kind && { class: kind }),
    };
    assert.equal(urgencyOf(message, options), urgency);
  });
}

test("gives half, three tenths and two tenths of a claim", () => {
  assert.deepEqual(dueShares(200), { 1: 100, 2: 60, 3: 40 });
  assert.deepEqual(dueShares(200, urgentOnly), { 1: 125, 2: 75, 3: 0 });
  assert.deepEqual(dueShares(3), { 1: 1, 2: 1, 3: 1 });
  assert.deepEqual(dueShares(1), { 1: 1, 2: 0, 3: 0 });
});

const anyOf = fc.constantFrom<readonly Urgency[]>(urgencies, urgentOnly, [3]);

test("shares out the whole of a claim, to each one at least", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), anyOf, (limit, of) => {
      const shares = dueShares(limit, of);
      const all = urgencies.map((urgency) => shares[urgency]);
      assert.equal(
        all.reduce((sum, share) => sum + share, 0),
        limit,
      );
      for (const urgency of urgencies) {
        const isAsked = of.includes(urgency);
        if (!isAsked) assert.equal(shares[urgency], 0);
        else if (limit >= of.length) assert.ok(shares[urgency] >= 1);
      }
    }),
  );
});

test("takes as many as there are, what one left over the most urgent first", () => {
  const counts = fc.nat({ max: 300 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.tuple(counts, counts, counts),
      (limit, there) => {
        const left = { 1: there[0], 2: there[1], 3: there[2] };
        const taken = takeByUrgency(limit, urgencies, (urgency, most) => {
          const count = Math.min(most, left[urgency]);
          left[urgency] -= count;
          return new Array<Urgency>(count).fill(urgency);
        });
        const all = there[0] + there[1] + there[2];
        assert.equal(taken.length, Math.min(limit, all));
        assert.deepEqual(taken, taken.toSorted());
        const shares = dueShares(limit);
        for (const [n, urgency] of urgencies.entries()) {
          const count = taken.filter((it) => it === urgency).length;
          assert.ok(count >= Math.min(shares[urgency], there[n] ?? 0));
          // More than its share only once all before it are through.
          if (count <= shares[urgency]) continue;
          for (const before of urgencies.slice(0, n)) {
            assert.equal(left[before], 0);
          }
        }
      },
    ),
  );
});
