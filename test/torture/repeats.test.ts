import assert from "node:assert/strict";
import { test } from "node:test";
import { findRepeats, writeWindowMs } from "./repeats.ts";

const kill = { from: 10_000, to: 10_000 };

/** One message at one receiver, each time answered after 10 ms. */
function arrivals(...times: readonly number[]) {
  return times.map((at) => ({
    path: "/ok/hook",
    messageId: "m",
    at,
    answeredAt: at + 10,
    body: "",
  }));
}

test("a repeat of an attempt that was open at the kill is explained", () => {
  const found = findRepeats(arrivals(9990, 11_000), [kill]);
  assert.equal(found.open, 1);
  assert.equal(found.explained, 1);
  assert.deepEqual(found.unexplained, []);
});

test("an attempt without an answer is open", () => {
  const [first] = arrivals(9000);
  assert.ok(first);
  const { answeredAt: _, ...unanswered } = first;
  const found = findRepeats([unanswered, ...arrivals(11_000)], [kill]);
  assert.equal(found.explained, 1);
});

test("a repeat of what was answered long before has no excuse", () => {
  const early = kill.from - writeWindowMs - 100;
  const found = findRepeats(arrivals(early, 11_000), [kill]);
  assert.equal(found.open, 0);
  assert.deepEqual(found.unexplained, ["m /ok/hook"]);
});

test("a repeat before the kill, or of what came after, has no excuse", () => {
  for (const times of [
    [9800, 9900],
    [10_500, 11_000],
  ]) {
    const found = findRepeats(arrivals(...times), [kill]);
    assert.deepEqual(found.unexplained, ["m /ok/hook"]);
  }
});

test("one attempt explains one repeat, not two", () => {
  const found = findRepeats(arrivals(9990, 11_000, 12_000), [kill]);
  assert.equal(found.explained, 1);
  assert.equal(found.unexplained.length, 1);
});

test("a fault that lasts is over when it ends", () => {
  const span = { from: 10_000, to: 20_000 };
  const found = findRepeats(arrivals(15_000, 20_100), [span]);
  assert.equal(found.explained, 1);
  const after = findRepeats(arrivals(20_200, 20_300), [span]);
  assert.equal(after.unexplained.length, 1);
});
