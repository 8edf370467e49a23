import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { excerpt, oneLine } from "./excerpt.ts";

test("makes one line of any text, without control characters", () => {
  assert.equal(
    oneLine("\u0000 a\r\n\tb\u2028\u202e\u200bc\u001b[0m\ud800 "),
    "a b c [0m\ufffd",
  );
});

test("cuts to a number of characters and never within one", () => {
  assert.equal(excerpt("👋".repeat(9), 5), "👋".repeat(5));
  assert.equal(excerpt("abc", 3), "abc");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat(20), (text, max) => {
      const cut = excerpt(text, max);
      assert.ok([...cut].length <= max);
      assert.ok(cut.isWellFormed());
      assert.doesNotMatch(cut, /[\p{Cc}\p{Cf}]/u);
    }),
  );
});
