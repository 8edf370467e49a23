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

test("a hostile pattern costs little", () => {
  const pattern = parseWildcard(`${"*?a".repeat(10_000)}b`);
  const started = performance.now();
  for (let i = 0; i < 100; i++) {
    assert.ok(!matchesWildcard(pattern, "a".repeat(400)));
  }
  // Measured well below 10 ms; without the bound it would not end.
  assert.ok(performance.now() - started < 2000);
});
