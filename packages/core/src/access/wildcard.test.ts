import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { matchesWildcard, parseWildcard } from "./wildcard.ts";

function matches(pattern: string, text: string): boolean {
  return matchesWildcard(parseWildcard(pattern), text);
}

test("a star is any run, a question mark one character", () => {
  for (const [pattern, text] of [
    ["*", ""],
    ["**", "abc"],
    ["a*", "a"],
    ["a*c", "abc"],
    ["*b*", "abc"],
    ["a*b*c", "a-b-b-c"],
    ["a?c", "abc"],
    ["*?", "a"],
    ["", ""],
  ] as const) {
    assert.ok(matches(pattern, text), `${pattern} ${text}`);
  }
  for (const [pattern, text] of [
    ["", "a"],
    ["a", "A"],
    ["a", "ab"],
    ["ab*ba", "aba"],
    ["a*b", "abc"],
    ["?", ""],
    ["*?", ""],
    ["a.c", "abc"],
  ] as const) {
    assert.ok(!matches(pattern, text), `${pattern} ${text}`);
  }
});

test("matching agrees with a regular expression", () => {
  const letters = fc.constantFrom("a", "b", ".");
  const text = fc.array(letters, { maxLength: 12 }).map((l) => l.join(""));
  const pattern = fc
    .array(fc.oneof(letters, fc.constantFrom("*", "?")), { maxLength: 8 })
    .map((l) => l.join(""));
  fc.assert(
    fc.property(pattern, text, (pattern, text) => {
      const regExp = new RegExp(
        `^${pattern.replaceAll(".", "\\.").replaceAll("*", ".*").replaceAll("?", ".")}$`,
      );
      assert.equal(matches(pattern, text), regExp.test(text));
    }),
    { numRuns: 2000 },
  );
});

test("long pieces are found wherever they stand", () => {
  const letters = fc.constantFrom("a", "b");
  const piece = fc
    .array(fc.oneof({ weight: 6, arbitrary: letters }, fc.constant("?")), {
      minLength: 20,
      maxLength: 100,
    })
    .map((l) => l.join(""));
  const around = fc.array(letters, { maxLength: 90 }).map((l) => l.join(""));
  fc.assert(
    fc.property(piece, around, around, (piece, before, after) => {
      const text = before + piece.replaceAll("?", "b") + after;
      assert.ok(matches(`*${piece}*`, text));
      const regExp = new RegExp(piece.replaceAll("?", "."));
      const other = before + after;
      assert.equal(matches(`*${piece}*`, other), regExp.test(other));
    }),
  );
});

test("a hostile pattern costs as much as its length and the text's", () => {
  for (const [hostile, text] of [
    // Read piece by piece from each place, these would take minutes.
    [`*${"a".repeat(14_000)}b*`, "a".repeat(600_000)],
    [`*${"ab".repeat(7000)}c*`, "ab".repeat(300_000)],
    ["*?a".repeat(10_000), "b".repeat(600_000)],
    [`${"*?a".repeat(10_000)}b`, "a".repeat(600_000)],
    [`*${"a?".repeat(400)}b*`, "a".repeat(20_000)],
  ] as const) {
    const plain = bestOf(() => matches(`*${"a".repeat(100)}c*`, text));
    const cost = bestOf(() => assert.ok(!matches(hostile, text)));
    // Milliseconds both; the first is a search for a short piece.
    assert.ok(
      cost < 10 * plain + 10,
      `${hostile.slice(0, 10)}: ${cost} against ${plain}`,
    );
  }
});

/** The shortest of five runs, in milliseconds. */
function bestOf(run: () => void): number {
  const times = Array.from({ length: 5 }, () => {
    const started = performance.now();
    run();
    return performance.now() - started;
  });
  return Math.min(...times);
}
