import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestError } from "../errors.ts";
import { checkText, problemWithText } from "./sendable-text.ts";

const CASES: readonly (readonly [text: string, problem: string])[] = [
  ["a\0", "a control character (U+0000) at position 2"],
  ["\u0007", "a control character (U+0007) at position 1"],
  ["\u000b", "a control character (U+000B) at position 1"],
  ["\u001b[31m", "a control character (U+001B) at position 1"],
  ["\u007f", "a control character (U+007F) at position 1"],
  ["\u0085", "a control character (U+0085) at position 1"],
  ["abc\ud83d", "half a surrogate pair (U+D83D) at position 4"],
  ["\udc4bx", "half a surrogate pair (U+DC4B) at position 1"],
  ["\ud83d\ud83d\udc4b", "half a surrogate pair (U+D83D) at position 1"],
  ["1\u202e3", "an override of the writing direction (U+202E) at position 2"],
  ["\u202d", "an override of the writing direction (U+202D) at position 1"],
];

for (const [text, problem] of CASES) {
  test(`refuses ${JSON.stringify(text)}`, () => {
    assert.equal(problemWithText(text), problem);
    assert.throws(
      () => checkText(text),
      (error) => {
        assert.ok(error instanceof RequestError);
        assert.equal(error.code, "INVALID_TEXT");
        assert.equal(error.message, `The text holds ${problem}`);
        return true;
      },
    );
  });
}

test("leaves every other text alone", () => {
  for (const text of [
    "",
    "a\r\nb\tc\fd",
    "👋 👨\u200d👩\u200d👧 می\u200cخواهم",
    // Marks and isolates that texts in Arabic and Hebrew need.
    "\u200f\u202bשלום\u202c\u2067x\u2069",
    "\u2028\u00ad\ufeff\u00a0",
  ]) {
    assert.equal(problemWithText(text), undefined);
  }
});
