import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RequestError } from "./errors.ts";
import {
  digitsOnly,
  internationalDigits,
  isE164,
  toE164,
} from "./phone-number.ts";

const CASES: readonly (readonly [input: string, digits: string])[] = [
  ["+1 (234) 567-89", "123456789"],
  ["++3", "3"],
  ["", ""],
  ["Acme", ""],
  ["0042", "0042"],
  ["٠١٢٣٤٥٦٧٨٩", "0123456789"],
  ["१२३", "123"],
  ["１２３", "123"],
  ["𝟎𝟗𝟘𝟡𝟶𝟿", "090909"],
  ["1²½Ⅷ", "1"],
];

for (const [input, digits] of CASES) {
  test(`digitsOnly(${JSON.stringify(input)}) is "${digits}"`, () => {
    assert.equal(digitsOnly(input), digits);
  });
}

test("digitsOnly gives digits only, and leaves them alone", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const digits = digitsOnly(text);
      assert.match(digits, /^[0-9]*$/);
      assert.equal(digitsOnly(digits), digits);
    }),
  );
});

test("internationalDigits are the same however a number is dialled", () => {
  for (const text of ["+420 777", "00420777", "420777", "00 420 777"]) {
    assert.equal(internationalDigits(text), "420777");
  }
  assert.equal(internationalDigits("0777"), "0777");
});

test("what is no text is refused with what it is", () => {
  const number: unknown = 420777;
  assert.throws(() => digitsOnly(number as string), {
    name: "RequestError",
    message: "A phone number must be a string, got a number",
  });
});

test("toE164 accepts the usual spellings", () => {
  assert.equal(toE164("+420 777 123 456"), "+420777123456");
  assert.equal(toE164("00420 777 123 456"), "+420777123456");
  assert.equal(toE164("420777123456"), "+420777123456");
  assert.equal(toE164("777 123 456", { countryCode: "420" }), "+420777123456");
  assert.equal(
    toE164("020 7946 0958", { countryCode: "+44" }),
    "+442079460958",
  );
  assert.equal(
    toE164("+1 234 567 8900", { countryCode: "44" }),
    "+12345678900",
  );
});

test("toE164 refuses what cannot be a number", () => {
  for (const text of ["", "Acme", "+12345", "+0123456789", "1".repeat(16)]) {
    assert.throws(() => toE164(text), RequestError, text);
  }
});

test("isE164 wants the plus sign", () => {
  assert.equal(isE164("+420777123456"), true);
  assert.equal(isE164("420777123456"), false);
});
