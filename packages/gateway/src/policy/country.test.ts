import assert from "node:assert/strict";
import { test } from "node:test";
import { countryOf } from "./country.ts";

const CASES: readonly (readonly [
  digits: string,
  country: string | undefined,
])[] = [
  ["420777123456", "CZ"],
  ["421905123456", "SK"],
  ["12125550100", "US"],
  ["14165550100", "CA"],
  ["18765550100", "JM"],
  ["18095550100", "DO"],
  ["79161234567", "RU"],
  ["77011234567", "KZ"],
  ["447700900123", "GB"],
  ["4915112345678", "DE"],
  ["390612345678", "IT"],
  ["5999123456", "CW"],
  ["8613812345678", "CN"],
  ["", undefined],
  ["999123", undefined],
  ["0123", undefined],
];

for (const [digits, country] of CASES) {
  test(`${digits || "nothing"} is in ${country ?? "no country"}`, () => {
    assert.equal(countryOf(digits), country);
  });
}
