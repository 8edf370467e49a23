import assert from "node:assert/strict";
import { test } from "node:test";
import { SequenceDetector } from "./sequence-detector.ts";

function lengths(
  detector: SequenceDetector,
  numbers: readonly number[],
  group = "a",
): number[] {
  return numbers.map((n) => detector.note(group, `4915112345${n}`, 0));
}

test("counts numbers that go up or down, with small gaps", () => {
  const detector = new SequenceDetector();
  assert.deepEqual(
    lengths(detector, [100, 101, 103, 106, 107]),
    [1, 2, 3, 4, 5],
  );
  assert.deepEqual(lengths(detector, [900, 899, 897]), [1, 2, 3]);
});

test("lets a run end with a step that is too far or turns around", () => {
  assert.deepEqual(
    lengths(new SequenceDetector(), [100, 101, 110, 109]),
    [1, 2, 1, 2],
  );
  assert.deepEqual(
    lengths(new SequenceDetector(), [100, 101, 102, 101]),
    [1, 2, 3, 1],
  );
});

test("goes on with a run that other numbers come between", () => {
  const found = lengths(new SequenceDetector(), [100, 500, 101, 700, 102, 501]);
  assert.deepEqual(found, [1, 1, 2, 1, 3, 2]);
});

test("does not count a number twice that comes twice", () => {
  assert.deepEqual(
    lengths(new SequenceDetector(), [100, 100, 101, 101, 100]),
    [1, 1, 2, 2, 1],
  );
});

test("keeps groups apart", () => {
  const detector = new SequenceDetector();
  assert.deepEqual(lengths(detector, [100, 101], "a"), [1, 2]);
  assert.deepEqual(lengths(detector, [102, 103], "b"), [1, 2]);
});

test("forgets a run whose next number does not come within ten minutes", () => {
  const detector = new SequenceDetector();
  assert.equal(detector.note("a", "4915112345100", 0), 1);
  assert.equal(detector.note("a", "4915112345101", 599_999), 2);
  assert.equal(detector.note("a", "4915112345102", 1_199_999), 1);
});

test("keeps a bounded number of prefixes", () => {
  const detector = new SequenceDetector();
  for (let n = 0; n < 20_000; n++) detector.note("a", `4915${n}100`, 0);
  assert.equal(detector.size, 10_000);
});
