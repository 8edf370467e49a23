import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { LineLimit, type LineLimits } from "./line-limit.ts";

const limits = { ofOneKind: 2, inAll: 5, kinds: 3, intervalMs: 1000 };

function limit(own: Partial<LineLimits> = {}) {
  const clock = new ManualClock();
  const lines: [string, number][] = [];
  const lineLimit = new LineLimit<string>(
    clock,
    { ...limits, ...own },
    (line, omitted) => lines.push([line, omitted]),
  );
  return { clock, lines, lineLimit };
}

test("writes a few lines that are alike, and the last with the number of the others", () => {
  const { clock, lines, lineLimit } = limit();
  for (let n = 1; n <= 100_000; n++) lineLimit.add("a", `a${n}`);
  assert.deepEqual(lines, [
    ["a1", 0],
    ["a2", 0],
  ]);
  clock.advance(1000);
  assert.deepEqual(lines.slice(2), [["a100000", 99_997]]);
  lineLimit.add("a", "again");
  assert.deepEqual(lines.slice(3), [["again", 0]]);
});

test("leaves nothing behind where nothing was left out", () => {
  const { clock, lines, lineLimit } = limit();
  lineLimit.add("a", "one");
  clock.advance(1000);
  assert.deepEqual(lines, [["one", 0]]);
  assert.equal(clock.nextTimerAt, undefined);
});

test("bounds all kinds together, and those that are told apart", () => {
  const { clock, lines, lineLimit } = limit();
  for (let n = 0; n < 1000; n++) {
    lineLimit.add(`kind ${n}`, `${n}`);
    lineLimit.add(`kind ${n}`, `${n}`);
  }
  assert.equal(lines.length, 5);
  clock.advance(1000);
  assert.ok(lines.length <= limits.inAll + limits.kinds + 1);
  const omitted = lines.slice(5).reduce((sum, [, n]) => sum + n + 1, 0);
  assert.equal(omitted, 1995);
});

test("writes what it counted when it is disposed of", () => {
  const { lines, lineLimit } = limit({ ofOneKind: 1 });
  lineLimit.add("a", "one");
  lineLimit.add("a", "two");
  lineLimit[Symbol.dispose]();
  assert.deepEqual(lines, [
    ["one", 0],
    ["two", 0],
  ]);
});
