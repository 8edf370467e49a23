import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram } from "./histogram.ts";

test("counts a value in each bucket whose bound it does not exceed", () => {
  const histogram = new Histogram([0.1, 1, 10]);
  for (const value of [0, 0.1, 0.5, 1, 9, 10, 11, 1e9]) {
    histogram.observe(value);
  }
  assert.deepEqual(histogram.cumulative(), [2, 4, 6]);
  assert.equal(histogram.count, 8);
  assert.equal(histogram.sum, 1_000_000_031.6);
});

test("is empty at first", () => {
  const histogram = new Histogram([1]);
  assert.deepEqual(histogram.cumulative(), [0]);
  assert.deepEqual([histogram.count, histogram.sum], [0, 0]);
});
