import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCost } from "@carillon/testing";
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

test("a hostile pattern costs as much as its length and the text's", async () => {
  for (const [hostile, text] of [
    // Read piece by piece from each place, these cost hundreds of times as much.
    [`*${"a".repeat(1400)}b*`, "a".repeat(60_000)],
    [`*${"ab".repeat(700)}c*`, "ab".repeat(30_000)],
    ["*?a".repeat(1000), "b".repeat(60_000)],
    [`${"*?a".repeat(1000)}b`, "a".repeat(60_000)],
    [`*${"a?".repeat(400)}b*`, "a".repeat(20_000)],
  ] as const) {
    await assertCost(() => assert.ok(!matches(hostile, text)), {
      atMost: 25,
      // A search for a short piece.
      timesThatOf: () => matches(`*${"a".repeat(100)}c*`, text),
    });
  }
});
