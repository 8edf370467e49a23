import assert from "node:assert/strict";
import { test } from "node:test";
import { CarillonError } from "../errors.ts";
import { checkAccents, cleanPhoneNumber, cleanText } from "./clean-up.ts";

const numbers = [
  ["777 123 456", "+420", "+420777123456"],
  ["777-123-456", "+420", "+420777123456"],
  ["777123456", undefined, "777123456"],
  ["00420777123456", "+420", "+420777123456"],
  ["00420777123456", undefined, "+420777123456"],
  ["0044 7911 123456", "+420", "+447911123456"],
  ["001234567890", "+420", "001234567890"],
  ["+420777123456", "+421", "+420777123456"],
  ["004207771234567", "+420", "004207771234567"],
  ["12345678901234567890", undefined, "12345678901234567890"],
] as const;

for (const [to, code, cleaned] of numbers) {
  test(`makes ${cleaned} of ${to} with the default code ${code}`, () => {
    assert.equal(cleanPhoneNumber(to, code), cleaned);
  });
}

test("refuses what is empty, too long or no text", () => {
  const refused = [
    [" - ", /nothing is left/],
    ["", /nothing is left/],
    ["+42 0777 123 456 777 123 456", /has 22 characters; 20 is the most/],
    [777_123_456, /text is expected/],
    [undefined, /text is expected/],
  ] as const;
  for (const [to, message] of refused) {
    assert.throws(
      () => cleanPhoneNumber(to, undefined),
      (error) =>
        error instanceof CarillonError &&
        error.code === "ENDPOINT_INVALID" &&
        message.test(error.message),
    );
  }
});

test("a code that makes a number too long is refused", () => {
  assert.throws(() => cleanPhoneNumber("123456789", "+123456789012"), {
    code: "ENDPOINT_INVALID",
  });
});

test("refuses a text of which nothing is left, and keeps it otherwise", () => {
  const fit = (text: string) => text.replace(/x/g, "");
  assert.equal(cleanText("axb", "strip-ascii", fit), "ab");
  assert.equal(cleanText("xx", "keep", fit), "xx");
  for (const text of ["xx", "x x", "x\nx\t"]) {
    assert.throws(() => cleanText(text, "strip-ascii", fit), {
      code: "MESSAGE_INVALID",
      message: /nothing is left/,
    });
  }
});

test("knows three levels of accents", () => {
  assert.equal(checkAccents("strip-ascii"), "strip-ascii");
  assert.equal(checkAccents(undefined), undefined);
  assert.throws(() => checkAccents("none"), { code: "MESSAGE_OPTION_INVALID" });
});
