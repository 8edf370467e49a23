import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { excerpt, oneLine } from "./excerpt.ts";

test("makes one line of any text, without control characters", () => {
  assert.equal(
    oneLine("\u0000 a \r\n\t b\u2028\u2029c\u001b[0m\u0085\ud800 "),
    "a b c [0m \ufffd",
  );
});

for (const text of [
  "می\u200cخواهم",
  "क्\u200dष",
  "👨\u200d👩\u200d👧",
  "שלום\u200f!",
  "مرحبا\u200f (1)",
  "Donau\u00addampf",
  "a  b\u00a0c\u3000d",
  "\u2067עברית\u2069 x",
]) {
  test(`leaves ${JSON.stringify(text)} as it is`, () => {
    assert.equal(oneLine(text), text);
  });
}

test("an excerpt steers no terminal, and keeps joiners", () => {
  assert.equal(
    excerpt("\u202ea\u00a0 b\u2066\u200f\u001b[31m می\u200cخواهم 👨\u200d👩"),
    "a b [31m می\u200cخواهم 👨\u200d👩",
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
      assert.doesNotMatch(cut, /\p{Cc}|(?!\u200c|\u200d)\p{Cf}/u);
    }),
  );
});
