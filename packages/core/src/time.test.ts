import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addMs, instantOf, isEpochMs, toEpochMs } from "./time.ts";

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

test("an instant is read from a day, or a day and time with its zone", () => {
  for (const [text, iso] of [
    ["2026-01-31", "2026-01-31T00:00:00.000Z"],
    ["2026-01-31T08:30Z", "2026-01-31T08:30:00.000Z"],
    ["2026-01-31T08:30:15.1234Z", "2026-01-31T08:30:15.123Z"],
    ["2026-01-31t08:30:15z", "2026-01-31T08:30:15.000Z"],
    ["2028-02-29T00:30:00+01:00", "2028-02-28T23:30:00.000Z"],
  ] as const) {
    assert.equal(instantOf(text), Date.parse(iso), text);
  }
});

test("what Date.parse makes another instant of is none", () => {
  for (const text of [
    "2026-02-30T00:00:00Z",
    "2026-02-29",
    "2026-04-31T12:00:00+02:00",
    "2026-13-01",
    "2026-01-32",
    "2026-01-31T24:00:00Z",
    "2026-01-31T08:60:00Z",
    "2026-01-31T08:30:00",
    "2026-01-31T08:30:00+99:00",
    "31 Jan 2026",
    "",
  ]) {
    assert.equal(instantOf(text), undefined, text);
  }
});
