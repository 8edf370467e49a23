import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addMs, isEpochMs, toEpochMs } from "./time.ts";

for (const wrong of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 8.64e15 + 2]) {
  test(`${wrong} is no instant`, () => {
    assert.throws(() => toEpochMs(wrong), RangeError);
    assert.equal(isEpochMs(wrong), false);
  });
}

test("adding any duration makes an instant that is not too early", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4e12 }),
      fc.double({ min: 0, max: 1e12, noNaN: true }),
      (at, ms) => {
        const instant = addMs(toEpochMs(at), ms);
        assert.ok(isEpochMs(instant));
        assert.ok(instant >= at + ms);
        assert.ok(instant - (at + ms) < 1.001);
      },
    ),
  );
});
