import assert from "node:assert/strict";
import { test } from "node:test";
import { toPhoneAddress } from "./phone-address.ts";

test("writes the same number always the same", () => {
  const addresses = {
    "4915112345678": "+4915112345678",
    "+49 (151) 123-456 78": "+4915112345678",
    // Short codes and national forms have no country code.
    "12345": "12345",
    "0151 12345678": "015112345678",
    "Acme Ltd": "Acme Ltd",
    "Acme\r\nBcc: x": "Acme Bcc: x",
    "": "",
    "+": "",
  };
  for (const [text, address] of Object.entries(addresses)) {
    assert.equal(toPhoneAddress(text), address);
    assert.equal(toPhoneAddress(address), address);
  }
  assert.equal(toPhoneAddress("x".repeat(1000)).length, 64);
});
