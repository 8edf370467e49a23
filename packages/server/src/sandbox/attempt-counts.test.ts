import assert from "node:assert/strict";
import { test } from "node:test";
import { AttemptCounts } from "./attempt-counts.ts";

test("counts each message at each recipient apart", () => {
  const counts = new AttemptCounts();
  assert.equal(counts.add("a", "1"), 0);
  assert.equal(counts.add("a", "1"), 1);
  assert.equal(counts.add("a", "2"), 0);
  assert.equal(counts.add("b", "1"), 0);
  assert.equal(counts.add("a"), 0);
  assert.equal(counts.add("a"), 1);
});

test("forgets what was counted longest ago", () => {
  const counts = new AttemptCounts();
  counts.add("first");
  counts.add("second");
  for (let i = 0; i < 9_998; i++) counts.add(String(i));
  assert.equal(counts.add("first"), 1);
  counts.add("one more");
  assert.equal(counts.add("first"), 2);
  assert.equal(counts.add("second"), 0);
});
