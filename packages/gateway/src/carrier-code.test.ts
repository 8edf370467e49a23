import assert from "node:assert/strict";
import { test } from "node:test";
import { codeOfText, numericCode } from "./carrier-code.ts";

test("a numeric code is a number, or its digits", () => {
  assert.equal(numericCode(21610), 21610);
  assert.equal(numericCode("0"), 0);
  for (const none of ["1234567", "-1", " 1", "", "x", null, undefined, {}]) {
    assert.equal(numericCode(none), undefined);
  }
});

test("the code of a text is its number, or its word", () => {
  assert.equal(codeOfText(" 310\n"), 310);
  assert.equal(codeOfText("123456789"), 123456789);
  assert.equal(codeOfText("1234567890"), "1234567890");
  assert.equal(codeOfText(" gone "), "gone");
});
