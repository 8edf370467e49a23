import assert from "node:assert/strict";
import { test } from "node:test";
import { countRuns, listRuns, toRuns } from "./target-runs.ts";

test("joins targets that follow each other, in whatever order they come", () => {
  assert.deepEqual(toRuns([1, 2, 3, 5, 9, 10]), [1, 3, 5, 5, 9, 10]);
  assert.deepEqual(toRuns([10, 3, 2, 9, 1, 5, 2]), [1, 3, 5, 5, 9, 10]);
  assert.deepEqual(toRuns([0]), [0, 0]);
  assert.deepEqual(toRuns([]), []);
});

test("counts and lists them again, from anywhere", () => {
  const runs = [1, 3, 5, 5, 9, 10];
  assert.equal(countRuns(runs), 6);
  assert.deepEqual(listRuns(runs), [1, 2, 3, 5, 9, 10]);
  for (let from = 0; from <= 7; from++) {
    for (let limit = 0; limit < 7; limit++) {
      assert.deepEqual(
        listRuns(runs, from, limit),
        [1, 2, 3, 5, 9, 10].slice(from, from + limit),
      );
    }
  }
});
